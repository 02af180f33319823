import type { ConfigDocument } from './document.ts'
import type { Path } from './path.ts'
import type { Secrets } from './secrets.ts'
import { isSensitivePath } from './sensitive-key.ts'

/**
 * Fills `secrets` with what came from variables and files (each piece, and the whole value around it),
 * what stands under a key whose name says so, and every URL's password. `isPlain` names paths where
 * only numbers, booleans and listed words fit: those hide nothing.
 */
export function collectSecrets(
  document: ConfigDocument,
  secrets: Secrets,
  isPlain: (path: Path) => boolean,
): void {
  for (const { path, text, outside } of document.origins()) {
    if (outside.length === 0 || isPlain(path)) continue
    for (const value of [text, ...outside]) secrets.add(value)
  }
  visitStrings(document.value, [], (text, path) => {
    secrets.addUrlPasswords(text)
    if (isSensitivePath(path) && !isPlain(path)) addCredential(text, secrets)
  })
}

/** `Bearer abc` is two secrets: as it is written, and without its scheme. */
function addCredential(text: string, secrets: Secrets): void {
  secrets.add(text)
  const scheme = /^(?:bearer|basic|token|apikey) +/i.exec(text)
  if (scheme !== null) secrets.add(text.slice(scheme[0].length))
}

function visitStrings(value: unknown, path: Path, visit: (text: string, path: Path) => void): void {
  if (typeof value === 'string') visit(value, path)
  else if (Array.isArray(value)) {
    value.forEach((item, index) => {
      visitStrings(item, [...path, index], visit)
    })
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) visitStrings(item, [...path, key], visit)
  }
}
