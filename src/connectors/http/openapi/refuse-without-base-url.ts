import { WeirError } from '../../../core/error.ts'
import type { ApiConfig } from '../http-config.ts'
import { createSource, type SourceParts } from './create-source.ts'
import { suggestBaseUrl } from './suggest-base-url.ts'

/**
 * Throws CONFIG_INVALID for an API without a base URL, and says which one its document names. That is a suggestion and no
 * more: a credential goes where the configuration says, and nowhere else (B-11).
 */
export async function refuseWithoutBaseUrl(
  apis: Readonly<Record<string, ApiConfig>>,
  parts: SourceParts,
  signal: AbortSignal,
): Promise<void> {
  for (const [name, config] of Object.entries(apis)) {
    if (config.baseUrl !== undefined) continue
    const found = await findSuggestion(name, config, parts, signal)
    throw new WeirError('CONFIG_INVALID', `The API ${name} has no base URL.`, {
      hint:
        found === undefined
          ? `Set \`apis.${name}.baseUrl\`.`
          : `Set \`apis.${name}.baseUrl\`; its document names ${found}.`,
      data: { api_name: name, ...(found === undefined ? {} : { suggested: found }) },
    })
  }
}

async function findSuggestion(
  name: string,
  { openapi }: ApiConfig,
  parts: SourceParts,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (openapi === undefined) return undefined
  const source = createSource(name, openapi, parts)
  try {
    const read = await source.read(signal)
    return read && suggestBaseUrl(read.document.root, openapi.source)
  } catch {
    // What is wrong with the document is told once there is a base URL.
    return undefined
  } finally {
    await source.close()
  }
}
