/** Adds 1 to a shared credential COUNT times, as processes do that refresh one token: `node … FOLDER COUNT`. */
import { silentLogger } from '../core/logger.ts'
import { openStore } from './open-store.ts'

const [folder, count] = process.argv.slice(2)
const key = { connection: 'api', tenant: '', subject: '', issuer: 'i', kind: 'tokens' }
const { credentials, close } = await openStore({ url: 'sqlite:weir.db', baseDir: folder!, log: silentLogger })
for (let added = 0; added < Number(count); ) {
  const old = await credentials.get(key)
  const isMine = await credentials.put(key, String(Number(old?.value ?? 0) + 1), old?.version ?? 0)
  if (isMine) added += 1
}
await close()
