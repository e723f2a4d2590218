/** Never rests, until it is stopped or the process that started it is gone. `startSpinner` runs it. */
const parent = process.ppid;
for (let n = 0; n % 1e6 !== 0 || process.ppid === parent; n++);
