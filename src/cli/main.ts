import { onCrash } from './crash.ts'
import { exits } from './exit-codes.ts'
import { drainOutput, ignoreBrokenPipes } from './output.ts'
import { runProgram } from './program.ts'

ignoreBrokenPipes()
onCrash((error) => {
  process.stderr.write(`error: Weir failed: ${error?.message ?? error}\n`)
  process.exit(exits.usage)
})
const exit = await runProgram(process.argv.slice(2))
await drainOutput()
process.exit(exit)
