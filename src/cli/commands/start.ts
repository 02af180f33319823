import { createWeir } from '../../app.ts'
import { claimStdout } from '../claim-stdout.ts'
import type { CommandContext } from '../command-context.ts'
import { exits } from '../exit-codes.ts'
import { watchSignals } from '../interruption.ts'
import type { ListenOptions } from '../listen.ts'
import { readUser } from '../read-user.ts'
import { reload } from '../reload.ts'
import { announce, closeOnCrash, closeServing, openServing, type Serving } from '../serving.ts'
import { openSetup } from '../setup.ts'

/** `weir start`: serves until a signal asks it to end. */
export async function start(
  context: CommandContext,
  { stdio = false, ...at }: ListenOptions & { readonly stdio?: boolean },
): Promise<number> {
  if (stdio) return startStdio(context)
  let serving: Serving | undefined
  const interruption = watchSignals(() => {
    if (serving !== undefined) void reload(serving, context)
  })
  const setup = await openSetup(context)
  try {
    serving = await openServing(setup, at, context.output)
    const { weir } = serving
    closeOnCrash(() => ({ setup, weir }))
    await Promise.race([announce(serving, context.output), interruption.exit])
    const exit = await interruption.exit
    await closeServing(serving)
    return exit
  } finally {
    await setup.close()
  }
}

/** One client on stdin and stdout; ends when it leaves. */
async function startStdio(context: CommandContext): Promise<number> {
  const stdout = claimStdout()
  const interruption = watchSignals()
  const setup = await openSetup(context)
  try {
    const loaded = await setup.load()
    const weir = createWeir({ base: setup.base, loaded, user: readUser() })
    closeOnCrash(() => ({ weir, setup }))
    // A client that no longer reads has left.
    stdout.stream.once('error', () => process.stdin.destroy())
    const left = weir.serveStdio(process.stdin, stdout.stream).then(() => exits.ok)
    const exit = await Promise.race([left, interruption.exit])
    await closeServing({ weir, setup })
    return exit
  } finally {
    await setup.close()
    stdout.release()
  }
}
