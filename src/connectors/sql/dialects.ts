import type { Dialect } from './dialect.ts'
import { mysqlDialect } from './mysql/mysql.ts'
import { postgresDialect } from './postgres/postgres.ts'
import { sqliteDialect } from './sqlite/sqlite.ts'

const dialects: readonly Dialect[] = [sqliteDialect, postgresDialect, mysqlDialect]

/** The dialect that a URL's scheme names; undefined for a scheme that none has. */
export function findDialect(url: string): Dialect | undefined {
  const scheme = schemeOf(url)
  return dialects.find((dialect) => dialect.schemes.includes(scheme))
}

/** Why a URL cannot be used; undefined if it can. Echoes the scheme only: the rest may hold a password. */
export function problemOfUrl(url: string): string | undefined {
  const dialect = findDialect(url)
  if (dialect !== undefined) return dialect.problemOf(url)
  const supported = dialects.flatMap((each) => each.schemes.map((scheme) => `${scheme}:`)).join(', ')
  return `Weir has no driver for ${schemeOf(url) || 'a URL without a scheme'}; supported: ${supported}`
}

function schemeOf(url: string): string {
  return /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? ''
}
