import { writeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { renderFailure } from './failure.ts'
import { readLines } from './read-lines.ts'
import { Session } from './session.ts'
import type { WorkerMessage, WorkerOptions, WorkerRequest } from './worker-protocol.ts'

// The entry of a database process: one line in, one line out, until standard input ends. It blocks on purpose, in
// SQLite and in between: a process is the one thing that can be stopped while SQLite runs, and nothing else waits
// in this one.

const options = JSON.parse(process.argv[2]!) as WorkerOptions
const session = new Session(options)
const busy = new Int32Array(new SharedArrayBuffer(4))
const lines = readLines(0)

// A terminal's Ctrl-C reaches the whole process group. Weir drains first, and ends this process by closing its input.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
// A thread that shared our standard output would make it a descriptor that does not block, and long answers fail.
new Worker(new URL(`./watchdog.${extension}`, import.meta.url), {
  workerData: { busy, parentPid: process.ppid },
  stdout: true,
  stderr: true,
})

write(render({ ready: true }))
for (let line = lines.next(); !line.done; line = lines.next()) {
  Atomics.store(busy, 0, 1)
  Atomics.notify(busy, 0)
  write(answer(JSON.parse(line.value) as WorkerRequest))
  Atomics.store(busy, 0, 0)
}
session.close()
process.exit(0)

function answer(request: WorkerRequest): string {
  try {
    return `{"ok":${run(request)}}\n`
  } catch (thrown) {
    return render({ failed: renderFailure(thrown) })
  }
}

function run(request: WorkerRequest): string {
  switch (request.op) {
    case 'read':
      return session.read(request.statement, request.bytesMax)
    case 'open':
      session.openReader(request.statement)
      return 'null'
    case 'next':
      return session.next(request.bytesMax)
    case 'transact':
      return session.transact(request.statements, request.bytesMax, leaveToCommit)
    case 'describe':
      return JSON.stringify(session.describe(request.tableName))
    case 'check':
      session.check()
      return 'null'
  }
}

/** Without leave, because Weir has gone, the process ends and SQLite's journal undoes the transaction. */
function leaveToCommit(): void {
  write(render({ committing: true }))
  if (lines.next().done) process.exit(1)
}

function render(message: WorkerMessage): string {
  return `${JSON.stringify(message)}\n`
}

function write(text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at)
}
