import { openStores } from '../app.ts'
import type { PinStore } from '../core/stores.ts'
import type { CommandContext } from './command-context.ts'
import { openSetup } from './setup.ts'

/** The pins of the configured store, without a gateway around it. */
export async function openPinStore(
  context: CommandContext,
): Promise<{ readonly pins: PinStore; close(): Promise<void> }> {
  const setup = await openSetup(context)
  const stores = openStores(setup.base, await setup.load())
  return {
    pins: stores.pins,
    async close() {
      await stores.close()
      await setup.base.egress.close()
      await setup.close()
    },
  }
}
