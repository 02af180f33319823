import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { memoryBytesMax, memoryMark } from './worker-protocol.ts'

// A thread beside the one that SQLite keeps busy, which can run nothing else meanwhile. It ends the process when
// a statement takes too much memory, and when Weir has died and nobody is left who would end a runaway statement.

const { busy, parentPid } = workerData as { busy: Int32Array; parentPid: number }
const pollIntervalMs = 50

for (;;) {
  Atomics.wait(busy, 0, 0)
  Atomics.wait(busy, 0, 1, pollIntervalMs)
  if (process.memoryUsage.rss() > memoryBytesMax) {
    writeSync(2, memoryMark)
    process.kill(process.pid, 'SIGKILL')
  }
  if (process.ppid !== parentPid) process.kill(process.pid, 'SIGKILL')
}
