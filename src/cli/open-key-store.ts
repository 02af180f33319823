import { openStores } from '../app.ts'
import { WeirError } from '../core/error.ts'
import type { ApiKeyStore } from '../core/stores.ts'
import type { CommandContext } from './command-context.ts'
import { openSetup } from './setup.ts'

/** The keys of the configured store and the roles that they may have, without a gateway around them. */
export async function openKeyStore(context: CommandContext): Promise<{
  readonly keys: ApiKeyStore
  readonly roles: readonly string[]
  /** Whether a running Weir takes keys at all. */
  readonly isOn: boolean
  close(): Promise<void>
}> {
  const setup = await openSetup(context)
  if (setup.path === undefined) {
    await setup.close()
    throw new WeirError('CONFIG_NOT_FOUND', 'There is no weir.yaml here, so there are no roles to give.', {
      hint: 'Make one with `weir init`, or give the path of another with --config.',
    })
  }
  const loaded = await setup.load()
  const stores = openStores(setup.base, loaded)
  return {
    keys: stores.apiKeys,
    roles: Object.keys(loaded.config.roles),
    isOn: loaded.config.auth?.apiKeys === true,
    async close() {
      await stores.close()
      await setup.base.egress.close()
      await setup.close()
    },
  }
}
