import { WeirError } from '../../../core/error.ts'
import type { MySqlSession } from './mysql-session.ts'

/** Privileges on everything that reach the server's files, its settings, its other users and their sessions. */
const reaching =
  /\b(?:ALL PRIVILEGES|FILE|SUPER|SHUTDOWN|RELOAD|CREATE USER|SET USER|SYSTEM_USER|ROLE_ADMIN|CONNECTION[ _]ADMIN|BINLOG[ _]ADMIN|READ_ONLY ADMIN|FEDERATED ADMIN|REPLICATION (?:CLIENT|SLAVE|SLAVE ADMIN|MASTER ADMIN)|SYSTEM_VARIABLES_ADMIN|CREATE TABLESPACE)\b/
const rolesMax = 50

/**
 * Refuses a login that could leave its database (S11). The server itself tells what it may do, and what its roles may,
 * which a statement could take on. A read-only transaction does not keep FILE from reading and writing files.
 */
export async function checkGrants(session: MySqlSession, alias: string, user: string): Promise<void> {
  const pending: (string | undefined)[] = [undefined]
  const seen = new Set<string>()
  for (let role = pending.shift(), looked = 0; looked < rolesMax; role = pending.shift(), looked++) {
    const grants = await session.run(role === undefined ? 'SHOW GRANTS' : `SHOW GRANTS FOR ${role}`)
    for (const [grant] of grants) {
      const excess = excessOf(String(grant))
      if (excess !== undefined) throw tooPowerful(alias, user, excess)
      const granted = roleOf(String(grant))
      if (granted !== undefined && !seen.has(granted)) pending.push(granted)
      if (granted !== undefined) seen.add(granted)
    }
    if (pending.length === 0) return
  }
}

/** Privileges on the tables that hold everybody's privileges count as well. */
function excessOf(grant: string): string | undefined {
  const [, privileges = '', scope = ''] = /^GRANT (.+?) ON (\S+) TO /.exec(grant) ?? []
  if (scope === '*.*') return reaching.exec(privileges)?.[0]
  const writes = /\b(?:ALL PRIVILEGES|INSERT|UPDATE|DELETE|ALTER|DROP)\b/.test(privileges)
  return writes && /^`mysql`\./.test(scope) ? 'writing to the database mysql' : undefined
}

/** As the server quotes it; names of roles come from the server, never from a caller. */
function roleOf(grant: string): string | undefined {
  return /^GRANT (`(?:[^`]|``)+`(?:@`(?:[^`]|``)*`)?) TO /.exec(grant)?.[1]
}

function tooPowerful(alias: string, user: string, excess: string): WeirError {
  return new WeirError(
    'DATABASE_UNAVAILABLE',
    `Database ${alias} is not used, because its user ${user} may do more than use a database: ${excess}.`,
    {
      hint: "Ask the operator for a user of less rights (CREATE USER weir_reader IDENTIFIED BY '…'; GRANT SELECT, SHOW VIEW ON app.* TO weir_reader;) or to set `allowAdminRole: true`.",
      data: { sent: false },
    },
  )
}
