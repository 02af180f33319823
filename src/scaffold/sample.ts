import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type ShippingApi, startShippingApi } from './shipping-api.ts'
import { generateShop } from './shop.ts'
import { writeShop } from './write-shop.ts'

/** What Weir serves where nobody has configured anything: a small shop, made anew for this process. */
export interface Sample {
  /** The folder that holds its databases. Absolute. */
  readonly dir: string
  /** What a `weir.yaml` for it would hold. */
  readonly config: Readonly<Record<string, unknown>>
  /** Stops what runs and removes the folder. Safe to call twice. */
  close(): Promise<void>
  /** Removes the folder only, at once: all that a process which is exiting can still do. */
  removeFiles(): void
}

/** Makes the sample's databases and starts its HTTP API. `log` is what its configuration says about logging. */
export async function createSample(log: Readonly<Record<string, unknown>>): Promise<Sample> {
  const dir = mkdtempSync(join(tmpdir(), 'weir-sample-'))
  const removeFiles = () => rmSync(dir, { recursive: true, force: true })
  try {
    const shop = generateShop()
    const analytics = join(dir, 'analytics.db')
    writeShop(analytics, shop)
    copyFileSync(analytics, join(dir, 'primary.db'))
    const api = await startShippingApi(shop)
    const close = async () => {
      await api.close()
      removeFiles()
    }
    return {
      dir,
      config: { connections: describeConnections(api), log, store: { url: 'sqlite::memory:' } },
      close,
      removeFiles,
    }
  } catch (error) {
    removeFiles()
    throw error
  }
}

function describeConnections(api: ShippingApi): Readonly<Record<string, unknown>> {
  return {
    database: {
      type: 'sql',
      databases: {
        analytics: { url: 'sqlite:./analytics.db' },
        primary: { url: 'sqlite:./primary.db', write: true },
      },
    },
    api: {
      type: 'http',
      apis: {
        shipping: {
          baseUrl: api.baseUrl,
          description: 'Shipments and stock of the sample shop: /shipments, /shipments/{id}, /inventory.',
          auth: { bearer: api.token },
          allowPrivate: true,
        },
      },
    },
    everything: { type: 'mcp', command: process.execPath, args: [locateEverything(), 'stdio'] },
  }
}

const everything = '@modelcontextprotocol/server-everything'

/** The reference server's own program, run by this very Node: `npx` would need a network. */
function locateEverything(): string {
  const manifest = findPackageJSON(everything, import.meta.url)
  if (manifest === undefined) throw new Error(`The package ${everything} is not installed.`)
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: Readonly<Record<string, string>> }
  return join(dirname(manifest), Object.values(bin)[0]!)
}
