package main

// A scene is one request that the demo knows.
type scene struct {
	words   []string // all of them are in the request
	first   string   // said before the program
	program string
}

// scenes are tried in order.
var scenes = []scene{
	{[]string{"weather", "save"}, "I'll look up the weather and save it in one program.", `city = "NYC"
found = tools.weather(city=city)
row = tools.database.insert(
    table="weather",
    values={
        "city": found["city"],
        "celsius": found["celsius"],
        "conditions": found["conditions"],
    },
)
print("inserted", row)
(f"{found['city']}: {found['celsius']} °C, {found['conditions']}. "
 f"Saved as row {row['id']}.")
`},
	{[]string{"delete"}, "I'll find the newest saved row and ask for its deletion.", `newest = "SELECT id, city FROM weather ORDER BY id DESC LIMIT 1"
rows = tools.database.query(sql=newest)
if not rows:
    return "Nothing is saved, so there is nothing to delete."
row = f"Row {rows[0]['id']} ({rows[0]['city']})"
try:
    tools.database.delete(table="weather", id=rows[0]["id"])
    answer = f"{row} is deleted."
except ToolError as error:
    answer = f"{row} is still there: {error.message}."
answer
`},
	{[]string{"compare"}, "I'll ask for all cities at once and compare them.", `import asyncio

cities = ["NYC", "London", "Oslo", "Rome",
          "Cairo", "Atlantis", "Tokyo", "Sydney"]

async def look(city):
    try:
        return await tools.weather.arun(city=city)
    except ToolError as error:
        print(f"no weather for {city}: {error.kind}")

found = [w for w in await asyncio.gather(*map(look, cities)) if w]
found.sort(key=lambda w: w["celsius"])
cold, warm = found[0], found[-1]
mean = sum(w["celsius"] for w in found) / len(found)
(f"{warm['city']} is the warmest ({warm['celsius']} °C), "
 f"{cold['city']} the coldest ({cold['celsius']} °C); "
 f"the mean of the {len(found)} that are known is {mean:.1f} °C.")
`},
	{[]string{"month"}, "I'll read the measurements in a program; only the answer comes back to me.", `import csv
from collections import defaultdict
from statistics import mean

text = tools.files.read(path="measurements.csv")
rows = list(csv.DictReader(text.splitlines()))
months = defaultdict(lambda: defaultdict(list))
for row in rows:
    month = row["date"][:7]
    months[row["city"]][month].append(float(row["celsius"]))

answer = f"Of {len(rows)} days that were measured:"
for city, by_month in months.items():
    warmest = max(by_month, key=lambda month: mean(by_month[month]))
    answer += f"\n• {city} was warmest in {warmest}, at {mean(by_month[warmest]):.1f} °C"
answer
`},
	{[]string{"database"}, "I'll look into the database.", `rows = tools.database.query(sql="SELECT * FROM weather ORDER BY id DESC LIMIT 5")
for row in rows:
    print(row["id"], row["city"], row["celsius"], row["conditions"])
tables = ", ".join(t["table"] for t in tools.database.schema())
(f"The tables are: {tables}. The last {len(rows)} rows of weather "
 f"are in the output of the program.")
`},
	{[]string{"file"}, "I'll read what is in the workspace.", `for file in tools.files.list():
    print(file["path"], file["bytes"], "bytes")
tools.files.read(path="welcome.txt")
`},
	{[]string{"slow"}, "This one takes half a minute. You can stop it.", `import time

for second in range(30):
    print("working", second)
    time.sleep(1)
"done, after all"
`},
	{[]string{"fail"}, "I'll write a program with a mistake in it.", `def ratio(a, b):
    return a / b

weather = tools.weather(city="Oslo")
print(weather["conditions"])
ratio(weather["celsius"], 0)
`},
	{[]string{"test"}, "I'll see whether programs run.", `import platform, sys

print(sys.version)
f"CPython {platform.python_version()} runs programs here."
`},
}
