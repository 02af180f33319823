/**
 * Says each thing once a turn of the event loop, however often it happens in it: a server that comes back tells of
 * hundreds of changes at once, and each would make every client ask for the list again. What waits is as many things
 * as can be said at all.
 */
export function coalesce(say: (what: string) => void): (what: string) => void {
  let waiting = new Set<string>()
  const flush = () => {
    const ready = waiting
    waiting = new Set()
    for (const what of ready) say(what)
  }
  return (what) => {
    if (waiting.size === 0) setImmediate(flush)
    waiting.add(what)
  }
}
