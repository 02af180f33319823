/** Opens a store, puts a credential, and says what became of it: `node opener.fixture.ts FOLDER`. */
import { WeirError } from '../core/error.ts'
import { silentLogger } from '../core/logger.ts'
import { openStore } from './open-store.ts'

try {
  const stores = await openStore({ url: 'sqlite:weir.db', baseDir: process.argv[2]!, log: silentLogger })
  const key = { connection: 'api', tenant: '', subject: '', issuer: 'i', kind: 'tokens' }
  await stores.credentials.put(key, 'secret').finally(() => stores.close())
  process.stdout.write('opened')
} catch (thrown) {
  const { code, message, hint } = thrown as WeirError
  process.stdout.write(thrown instanceof WeirError ? `${code}: ${message} ${hint}` : String(thrown))
}
