import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of the heap that are really held: what is merely not collected yet is collected first. */
export function countHeldBytes(): number {
  collect()
  return process.memoryUsage().heapUsed
}
