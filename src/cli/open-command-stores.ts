import { openStores } from '../app.ts'
import type { Stores } from '../core/stores.ts'
import type { CommandContext } from './command-context.ts'
import { openSetup } from './setup.ts'

/** The configured store, without a gateway around it. */
export async function openCommandStores(
  context: CommandContext,
): Promise<{ readonly stores: Stores; close(): Promise<void> }> {
  const setup = await openSetup(context)
  const stores = openStores(setup.base, await setup.load())
  return {
    stores,
    async close() {
      await stores.close()
      await setup.base.egress.close()
      await setup.close()
    },
  }
}
