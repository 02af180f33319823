import { setTimeout as sleep } from 'node:timers/promises'
import { onCrash } from './crash.ts'
import { exits } from './exit-codes.ts'
import { interrupted } from './interruption.ts'
import { drainOutput, ignoreBrokenPipes } from './output.ts'
import { runProgram } from './program.ts'

/** A pager may hold output up for hours, but not an end that was asked for. */
const interruptedDrainMs = 2_000

ignoreBrokenPipes()
onCrash((error) => {
  process.stderr.write(`error: Weir failed: ${error?.message ?? error}\n`)
  process.exit(exits.usage)
})
const exit = await runProgram(process.argv.slice(2))
await Promise.race([drainOutput(), interrupted.then(() => sleep(interruptedDrainMs))])
process.exit(exit)
