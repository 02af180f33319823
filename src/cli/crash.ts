/** What is done when something throws that nobody caught. */
type CrashHandler = (error: Error) => void

let current: CrashHandler | undefined

/**
 * From now on this is done with an error that nobody caught, unhandled rejections included. The process is in an
 * unknown state then, so every handler ends it.
 */
export function onCrash(handler: CrashHandler): void {
  if (current !== undefined) process.off('uncaughtException', current)
  current = handler
  process.on('uncaughtException', handler)
}
