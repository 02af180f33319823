import { fork } from 'node:child_process'
import { once } from 'node:events'
import { stop, track } from './children.ts'

/** A child process that does one job at a time. */
export interface Worker<Job, Answer> extends AsyncDisposable {
  /** Rejects with what the child threw, or when the child ends first. */
  run(job: Job): Promise<Answer>
}

type Reply<Answer> = { readonly answer: Answer } | { readonly error: string }

/** Forks a module that calls `answerJobs`. */
export function startWorker<Job extends object, Answer>(modulePath: string): Worker<Job, Answer> {
  const child = track(fork(modulePath, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }))
  return {
    async run(job) {
      const settled = new AbortController()
      const reply = once(child, 'message', { signal: settled.signal })
      const end = once(child, 'exit', { signal: settled.signal }).then(([code, signal]) => {
        throw new Error(`${modulePath} ended with ${signal ?? code} during a job.`)
      })
      try {
        child.send(job)
        const [message] = (await Promise.race([reply, end])) as [Reply<Answer>]
        if ('error' in message) throw new Error(message.error)
        return message.answer
      } finally {
        // The loser of the race is still waiting, and its rejection is nobody's news.
        end.catch(() => {})
        reply.catch(() => {})
        settled.abort()
      }
    },
    [Symbol.asyncDispose]: () => stop(child),
  }
}

/** The child's side of `startWorker`: answers every job, and ends when its parent is gone. */
export function answerJobs<Job, Answer>(answer: (job: Job) => Promise<Answer>): void {
  process.on('disconnect', () => process.exit())
  process.on('message', (job) => {
    answer(job as Job).then(
      (value) => process.send!({ answer: value }),
      (error: unknown) => process.send!({ error: error instanceof Error ? error.message : String(error) }),
    )
  })
}
