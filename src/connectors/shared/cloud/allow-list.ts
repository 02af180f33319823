import { WeirError } from '../../../core/error.ts'
import { compileGlobs } from '../../../core/glob.ts'

/** Throws CLOUD_NOT_ALLOWED unless one of the spellings of what a call names is allowed. */
export type AllowList = (...spellings: readonly string[]) => void

/** What a connection offers of one kind (`bucket`), by its config key (`s3.buckets`). Nothing else is put in its place (C-25). */
export function createAllowList(kind: string, configKey: string, patterns: readonly string[]): AllowList {
  const isAllowed = compileGlobs(patterns)
  return (...spellings) => {
    if (spellings.some(isAllowed)) return
    const named = (spellings[0] ?? '').slice(0, 200)
    throw new WeirError('CLOUD_NOT_ALLOWED', `The connection offers no ${kind} ${JSON.stringify(named)}.`, {
      hint:
        patterns.length === 0
          ? `An operator can allow it in \`${configKey}\`.`
          : `It offers ${patterns.join(', ')}.`,
      data: { [kind]: named, allowed: patterns, configKey, sent: false },
    })
  }
}
