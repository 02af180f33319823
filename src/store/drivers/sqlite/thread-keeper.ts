import { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'
import { explainFailure } from './failure.ts'
import type { Answer, Message, Request, ThreadOptions } from './protocol.ts'
import type { UnitQueue } from './unit-queue.ts'

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const entry = new URL(`./thread.${extension}`, import.meta.url)
const firstPauseMs = 100
const pauseMaxMs = 5_000
const closeTimeoutMs = 5_000

/** What the one thread is kept with. */
export interface ThreadKeeperOptions extends ThreadOptions {
  readonly queue: UnitQueue
  readonly clock: Clock
  readonly log: Logger
}

/** Keeps one thread on the database, and starts another when it dies, with growing pauses. */
export class ThreadKeeper {
  /** How many transactions the living thread has made durable. */
  commits = 0
  readonly #options: ThreadKeeperOptions
  #worker: Worker | undefined
  #exited: Promise<void> = Promise.resolve()
  #pauseMs = firstPauseMs
  #restart: Timer | undefined
  #isKept = false
  #closing: Promise<void> | undefined

  private constructor(options: ThreadKeeperOptions) {
    this.#options = options
  }

  /** Resolves when the database is open. A first start that fails is not tried again. */
  static async open(options: ThreadKeeperOptions): Promise<ThreadKeeper> {
    const keeper = new ThreadKeeper(options)
    await keeper.#start()
    keeper.#isKept = true
    return keeper
  }

  /** The thread, where one lives. */
  get worker(): Worker | undefined {
    return this.#worker
  }

  /** Ends what is under way and the thread. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#options.queue.drain()
    this.#isKept = false
    this.#restart?.cancel()
    const worker = this.#worker
    if (worker === undefined) return
    worker.ref()
    worker.postMessage('close' satisfies Request)
    const cutOff = setTimeout(() => void worker.terminate(), closeTimeoutMs)
    await this.#exited
    clearTimeout(cutOff)
  }

  /** Resolves when the thread is ready; rejects where it ends before. */
  #start(): Promise<void> {
    const { path, fileBytesMax } = this.#options
    const worker = new Worker(entry, {
      workerData: { path, fileBytesMax } satisfies ThreadOptions,
      name: 'weir-store',
      // It needs nothing of Weir's environment, and Node's warning that its SQLite is young helps nobody.
      env: {},
      execArgv: ['--no-warnings'],
    })
    this.#worker = worker
    let cause: WeirError | undefined
    worker.on('error', (thrown) => {
      cause = died(thrown)
    })
    return new Promise((resolve, reject) => {
      worker.on('message', (message: Message) => {
        if ('answers' in message) this.#answered(message.answers, message.commits)
        else if ('unusable' in message) cause = explainUnusable(message.unusable, path)
        else {
          this.#ready(worker)
          resolve()
        }
      })
      this.#exited = new Promise((exited) => {
        worker.on('exit', () => {
          exited()
          this.#worker = undefined
          reject(cause ?? died(undefined))
          this.#lost(cause ?? died(undefined))
        })
      })
    })
  }

  #ready(worker: Worker): void {
    worker.unref()
    this.#options.queue.open((units) => worker.postMessage(units satisfies Request))
  }

  #answered(answers: readonly Answer[], commits: number): void {
    this.commits = commits
    this.#pauseMs = firstPauseMs
    this.#options.queue.answer(answers)
  }

  #lost(error: WeirError): void {
    if (!this.#isKept) return
    const { queue, clock, log } = this.#options
    const { code, message, hint, cause } = error
    log.error({ event: 'store.lost', code, hint, error: cause, retryMs: this.#pauseMs }, message)
    queue.interrupt(error)
    this.#restart = clock.setTimer(() => {
      this.#start().then(
        () => log.info({ event: 'store.back' }, 'The store is back.'),
        // Its exit has said so, and set the next attempt.
        () => {},
      )
    }, this.#pauseMs)
    this.#pauseMs = Math.min(this.#pauseMs * 2, pauseMaxMs)
  }
}

function explainUnusable(
  { known, ...failure }: Extract<Message, { unusable: unknown }>['unusable'],
  path: string,
): WeirError {
  if (known === undefined) return explainFailure(failure, `The store ${path}`)
  return new WeirError('STORE_UNUSABLE', known.message, known.hint === undefined ? {} : { hint: known.hint })
}

function died(cause: unknown): WeirError {
  return new WeirError('STORE_UNAVAILABLE', 'The store’s thread ended.', {
    hint: 'Weir starts another by itself; the log holds the cause.',
    cause,
  })
}
