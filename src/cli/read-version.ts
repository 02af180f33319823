import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'

/** This release, without loading the gateway, which takes much longer than saying it. */
export function readVersion(): string {
  const manifest = findPackageJSON(import.meta.url)
  if (manifest === undefined) throw new Error('the package has lost its package.json')
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}
