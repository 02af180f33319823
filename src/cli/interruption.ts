import { WeirError } from '../core/error.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
type Signal = (typeof signals)[number]

/** What the process ends with after each signal: a stop that was asked for is no failure. */
const exitBySignal: Readonly<Record<Signal, number>> = { SIGINT: 130, SIGTERM: 0, SIGHUP: 129 }

/** npm sends its own copy of a signal that the terminal has already sent to everyone; that is no second wish. */
const sameWishMs = 400

/** The wish of whoever runs the process that it should end. */
export interface Interruption {
  /** Aborts at the first signal; its reason is a CANCELLED error. */
  readonly signal: AbortSignal
  /** Resolves at the first signal, with the code to exit with after an orderly stop. */
  readonly exit: Promise<number>
}

const { promise, resolve: interrupt } = Promise.withResolvers<void>()

/** Resolves once a watched signal has asked the process to end. */
export const interrupted: Promise<void> = promise

/**
 * Listens for signals. The first one asks for an orderly end; another one ends the process at once. With `onHangup`,
 * SIGHUP asks for that instead, unless it comes from a terminal, where it means that the terminal is gone.
 */
export function watchSignals(onHangup?: () => void): Interruption {
  const controller = new AbortController()
  const isAttached = process.stdin.isTTY === true || process.stderr.isTTY === true
  const exit = new Promise<number>((resolve) => {
    let firstMs: number | undefined
    for (const signal of signals) {
      process.on(signal, () => {
        if (signal === 'SIGHUP' && onHangup !== undefined && !isAttached) onHangup()
        else if (firstMs === undefined) {
          firstMs = performance.now()
          controller.abort(new WeirError('CANCELLED', `Stopped by ${signal}.`))
          resolve(exitBySignal[signal])
          interrupt()
        } else if (performance.now() - firstMs > sameWishMs) {
          process.exit(exits(signal))
        }
      })
    }
  })
  return { signal: controller.signal, exit }
}

/** Forced: an orderly stop was not waited for, which even SIGTERM must tell. */
function exits(signal: Signal): number {
  return exitBySignal[signal] === 0 ? 143 : exitBySignal[signal]
}
