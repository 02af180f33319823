import { openStores } from '../app.ts'
import type { AuditStore } from '../core/audit.ts'
import type { CommandContext } from './command-context.ts'
import { openSetup } from './setup.ts'

/** The audit of the configured store, without a gateway around it; a Weir that runs goes on writing it. */
export async function openAuditStore(
  context: CommandContext,
): Promise<{ readonly audit: AuditStore; close(): Promise<void> }> {
  const setup = await openSetup(context)
  const stores = openStores(setup.base, await setup.load())
  return {
    audit: stores.audit,
    async close() {
      await stores.close()
      await setup.base.egress.close()
      await setup.close()
    },
  }
}
