import { WeirError } from '../../../core/error.ts'

/** Roles that come with the server and reach beyond a database's data: its files, its programs, others' sessions. */
const reachingRoles = [
  'pg_read_server_files',
  'pg_write_server_files',
  'pg_execute_server_program',
  'pg_signal_backend',
  'pg_create_subscription',
]

/** Functions that reach files or other servers, or stop this one; nobody may call most of them unless it was granted. */
const reachingFunctions = [
  ...['pg_read_file', 'pg_read_binary_file', 'pg_ls_dir', 'pg_stat_file', 'lo_import', 'lo_export'],
  ...['pg_file_write', 'pg_file_rename', 'pg_file_unlink', 'pg_file_sync', 'pg_file_read'],
  ...['pg_reload_conf', 'pg_rotate_logfile', 'pg_promote', 'pg_switch_wal', 'pg_create_restore_point'],
  ...['dblink', 'dblink_connect', 'dblink_connect_u', 'dblink_exec', 'dblink_open', 'dblink_send_query'],
]

const list = (names: readonly string[]) => names.map((name) => `'${name}'`).join()

/**
 * What the login may do beyond its database, one text a row; no row is as it should be. It asks about every role that
 * the login could become, because a statement can change between those.
 */
export const rightsQuery = `
  (select r.rolname || case when r.rolsuper then ', a superuser'
      when r.rolreplication then ', which may replicate'
      when r.rolcreaterole then ', which may create roles' else '' end
    from pg_catalog.pg_roles r
    where pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')
      and (r.rolsuper or r.rolreplication or r.rolcreaterole or r.rolname in (${list(reachingRoles)}))
    order by r.rolname = session_user desc, r.rolsuper desc limit 1)
  union all
  (select distinct 'the function ' || p.proname from pg_catalog.pg_proc p
    where p.proname in (${list(reachingFunctions)})
      and pg_catalog.has_function_privilege(session_user, p.oid, 'EXECUTE')
    limit 1)`

/**
 * Refuses a login that could leave its database (S11). A read-only transaction does not keep a superuser from reading
 * files or running programs, and a role taken on with SET ROLE can be put off by the statement itself, so nothing but
 * the login's own rights can hold it.
 */
export function checkRights(alias: string, user: string, excess: readonly string[]): void {
  if (excess.length === 0) return
  throw new WeirError(
    'DATABASE_UNAVAILABLE',
    `Database ${alias} is not used, because its user ${user} may do more than use a database: ${excess[0]}.`,
    {
      hint: `Ask the operator for a user of less rights (CREATE ROLE weir_reader LOGIN PASSWORD '…'; GRANT pg_read_all_data TO weir_reader;) or to set \`allowAdminRole: true\`.`,
      data: { sent: false },
    },
  )
}
