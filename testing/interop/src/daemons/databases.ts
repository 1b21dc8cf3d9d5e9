import { chownSync, mkdirSync } from 'node:fs'
import { run, type RunningPeer, startServer } from '../process.ts'
import { type DaemonSetup, idsOf } from './setup.ts'

/** Making a database takes a second, or very long on a machine that does something else. */
const patient = { timeout: 120_000 } as const

/** PostgreSQL, a new cluster that trusts every user. */
export async function startPostgres(program: string, { folder, tls }: DaemonSetup): Promise<RunningPeer> {
  const data = folder.file('postgres')
  mkdirSync(data)
  const [uid, gid] = await idsOf('postgres')
  for (const path of [data, ...(tls === undefined ? [] : [tls.key])]) chownSync(path, uid, gid)
  const home = (await run('pg_config', ['--bindir'])).stdout.trim()
  // It refuses to run as root.
  const asPostgres = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
  const made = await run('setpriv', [...asPostgres, `${home}/initdb`, '-D', data, '-A', 'trust', '--no-sync'], patient)
  if (made.code !== 0) throw new Error(made.stderr)
  const settings = [
    ...(tls === undefined ? ['ssl=off'] : [`ssl_cert_file=${tls.cert}`, `ssl_key_file=${tls.key}`, 'ssl=on']),
    'unix_socket_directories=',
    'listen_addresses=127.0.0.1',
    'fsync=off',
  ]
  return startServer(
    'setpriv',
    (port) => [
      ...asPostgres,
      program,
      '-D',
      data,
      '-p',
      String(port),
      ...settings.flatMap((setting) => ['-c', setting]),
    ],
    { ready: /ready to accept connections/ },
  )
}

/** MariaDB, a new database that lets everybody in. */
export async function startMariadb(program: string, { folder, tls }: DaemonSetup): Promise<RunningPeer> {
  const data = folder.file('mariadb')
  const [uid, gid] = await idsOf('mysql')
  mkdirSync(data)
  const made = await run(
    'mariadb-install-db',
    ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'],
    patient,
  )
  if (made.code !== 0) throw new Error(made.stderr)
  const handedOver = await run('chown', ['-R', `${uid}:${gid}`, data, ...(tls === undefined ? [] : [tls.key])])
  if (handedOver.code !== 0) throw new Error(handedOver.stderr)
  return startServer(
    program,
    (port) => [
      '--no-defaults',
      `--datadir=${data}`,
      '--user=mysql',
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      `--socket=${data}/socket`,
      '--skip-grant-tables',
      '--skip-networking=0',
      ...(tls === undefined ? ['--skip-ssl'] : [`--ssl-cert=${tls.cert}`, `--ssl-key=${tls.key}`]),
    ],
    { ready: /ready for connections/ },
  )
}
