/** A process that logs to its standard error: `node log.fixture.ts flush | flood`. */
import { createLog } from './log.ts'

const log = createLog()
if (process.argv[2] === 'flush') {
  log.warn({ event: 'last' }, 'The last line.')
  log.flush()
  process.exit(0)
}
// Nobody reads our standard error: 256 MiB of lines must not be kept.
const filling = 'x'.repeat(64 * 1024)
for (let i = 0; i < 4_096; i += 1) {
  log.info({ i, filling }, 'A line.')
  if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
}
process.stdout.write(`${process.memoryUsage().rss}\n`)
