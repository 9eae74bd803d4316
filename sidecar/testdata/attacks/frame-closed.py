# tries: close its control socket and live on
# status: killed
os.close(3)
time.sleep(60)
