package sandbox

// startingHere are the older spellings of starting.
var startingHere = []uint32{}

// chmodHere are the older spellings of fchmodat.
var chmodHere = []uint32{}
