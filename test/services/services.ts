/** The servers that tests talk to, and how each is come by: its URL variable, its usual port, its own programs. */
export type ServiceName = 'postgres' | 'mariadb' | 'redis' | 'rabbitmq' | 'nats' | 'kafka'

/** What has to be known of one server to find it or to start a private one. */
export interface ServiceSpec {
  /** As people say it. */
  readonly title: string
  /** Names another one: its URL. */
  readonly variable: string
  /** Where it listens by default; absent where nothing of the kind does. */
  readonly port?: number
  /** The URL of one that listens on this port of 127.0.0.1, with the account that a fresh one has. */
  url(port: number): string
  /** What a private one is started from, looked for on the path and in `folders`. */
  readonly program: string
  readonly folders?: readonly string[]
  /** The user that the server insists on where we are root. */
  readonly user?: string
  /** Makes its data, run once and waited for. */
  prepare?(program: string, folder: string): readonly string[]
  /** The server itself, in the foreground. */
  start(program: string, folder: string, port: number): readonly string[]
  environment?(folder: string, port: number): Readonly<Record<string, string>>
  /** What else it leaves running, ended by this. */
  finish?(port: number): readonly string[]
}

const debianPostgres = [17, 16, 15, 14].map((version) => `/usr/lib/postgresql/${version}/bin`)

/** In the order of their names' first use in the documents. */
export const services: Readonly<Record<ServiceName, ServiceSpec>> = {
  postgres: {
    title: 'PostgreSQL',
    variable: 'WEIR_TEST_POSTGRES_URL',
    port: 5432,
    url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
    program: 'postgres',
    folders: debianPostgres,
    user: 'postgres',
    prepare: (program, folder) => [
      program.replace(/postgres$/, 'initdb'),
      ...['-D', `${folder}/data`, '-U', 'postgres', '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C'],
    ],
    start: (program, folder, port) => [
      ...[program, '-D', `${folder}/data`, '-p', String(port), '-c', 'listen_addresses=127.0.0.1'],
      ...['-c', `unix_socket_directories=${folder}`, '-c', 'fsync=off', '-c', 'max_connections=200'],
    ],
  },
  mariadb: {
    title: 'MariaDB',
    variable: 'WEIR_TEST_MARIADB_URL',
    port: 3306,
    url: (port) => `mysql://root@127.0.0.1:${port}/mysql`,
    program: 'mariadbd',
    folders: ['/usr/sbin'],
    user: 'mysql',
    prepare: (_program, folder) => [
      ...['mariadb-install-db', '--no-defaults', `--datadir=${folder}/data`, '--skip-test-db'],
      '--auth-root-authentication-method=normal',
    ],
    start: (program, folder, port) => [
      ...[program, '--no-defaults', `--datadir=${folder}/data`, `--port=${port}`, '--bind-address=127.0.0.1'],
      ...[`--socket=${folder}/socket`, `--pid-file=${folder}/pid`, '--innodb-flush-log-at-trx-commit=0'],
    ],
  },
  redis: {
    title: 'Redis',
    variable: 'WEIR_TEST_REDIS_URL',
    port: 6379,
    url: (port) => `redis://127.0.0.1:${port}`,
    program: 'redis-server',
    start: (program, folder, port) => [
      ...[program, '--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
      ...['--save', '', '--appendonly', 'no'],
    ],
  },
  rabbitmq: {
    title: 'RabbitMQ',
    variable: 'WEIR_TEST_RABBITMQ_URL',
    port: 5672,
    url: (port) => `amqp://guest:guest@127.0.0.1:${port}`,
    program: 'rabbitmq-server',
    folders: ['/usr/lib/rabbitmq/bin', '/usr/sbin'],
    user: 'rabbitmq',
    start: (program) => [program],
    environment: (folder, port) => ({
      HOME: folder,
      ERL_EPMD_PORT: String(port + 1),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_EPMD_RELAXED_COMMAND_CHECK: 'true',
      RABBITMQ_NODENAME: `test${port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(port + 2),
      RABBITMQ_MNESIA_BASE: `${folder}/mnesia`,
      RABBITMQ_LOG_BASE: `${folder}/log`,
      RABBITMQ_ENABLED_PLUGINS_FILE: `${folder}/plugins`,
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      // The machine's own file would bring its port along; this one does not exist.
      RABBITMQ_CONFIG_FILE: `${folder}/none.conf`,
    }),
    // Erlang's name server goes on as a daemon, one on each port that was asked for.
    finish: (port) => ['epmd', '-port', String(port + 1), '-kill'],
  },
  nats: {
    title: 'NATS with JetStream',
    variable: 'WEIR_TEST_NATS_URL',
    port: 4222,
    url: (port) => `nats://127.0.0.1:${port}`,
    program: 'nats-server',
    folders: ['/usr/sbin'],
    start: (program, folder, port) => [program, '-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder],
  },
  // Kafka itself is large; this is the broker that librdkafka tests itself with, behind a relay of ours.
  kafka: {
    title: 'Kafka (kcat’s mock of it)',
    variable: 'WEIR_TEST_KAFKA_URL',
    url: (port) => `kafka://127.0.0.1:${port}`,
    program: 'kcat',
    start: (program) => [
      ...[program, '-b', 'ignored:1', '-X', 'test.mock.num.brokers=1', '-X', 'allow.auto.create.topics=true'],
      ...['-d', 'mock', '-C', '-t', 'held', '-o', 'end'],
    ],
  },
}
