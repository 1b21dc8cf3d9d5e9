import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Debian packages of the peers that `pnpm interop` is shown against. vsftpd and proftpd cannot be installed together. */
const packagesOfCi = [
  'openssl',
  'gnutls-bin',
  'curl',
  'nginx-light',
  'libio-socket-ssl-perl',
  'python3',
  'redis-server',
  'faketime',
  'dovecot-imapd',
  'postfix',
  'slapd',
  'ldap-utils',
  'vsftpd',
  'stunnel4',
  'prosody',
  'postgresql',
  'chromium',
  'libnss3-tools',
  'golang-go',
  'sslscan',
]

/** What `pnpm interop:full` has beside. */
const packagesOfFull = [
  'dovecot-pop3d',
  'dovecot-lmtpd',
  'dovecot-managesieved',
  'inspircd',
  'mariadb-server',
  'tinyproxy',
  'testssl.sh',
]

/** Beside for the full run, too, but only unpacked: they conflict with vsftpd, or would be set up as a service of this machine. */
const unpacked = [
  'proftpd-core',
  'proftpd-mod-crypto',
  'pure-ftpd',
  'inn2',
  'inn2-inews', // libinn
  'libcanlock3',
]
const unpackedInto = '/usr/local/lib/interop-peers'

const isFull = process.env.INTEROP_FULL === '1'
const packages = isFull ? [...packagesOfCi, ...packagesOfFull] : packagesOfCi

function missing() {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${Status}\n', ...packages], {
    encoding: 'utf8',
  })
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  )
  return packages.filter((name) => !installed.has(name))
}

/** Downloads and unpacks; nothing of theirs is run. Returns what could not be had. */
function unpack(env) {
  const folder = mkdtempSync(join(tmpdir(), 'interop-peers-'))
  chmodSync(folder, 0o755)
  mkdirSync(unpackedInto, { recursive: true })
  const failed = unpacked.filter((name) => {
    if (existsSync(`${unpackedInto}/usr/share/doc/${name}`)) return false
    spawnSync('apt-get', ['download', '-qq', name], { env, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
    const file = readdirSync(folder).find((found) => found.startsWith(`${name}_`))
    return file === undefined || spawnSync('dpkg', ['-x', join(folder, file), unpackedInto]).status !== 0
  })
  rmSync(folder, { recursive: true, force: true })
  return failed
}

/** Installs what is missing (with INTEROP_FULL=1 for the full run); the daemons among them are not started. Returns an exit status. */
export function installPeers() {
  if (missing().length === 0 && !isFull) {
    console.log('all peers are installed')
    return 0
  }
  const policy = '/usr/sbin/policy-rc.d'
  const guard = !existsSync(policy)
  if (guard) {
    writeFileSync(policy, '#!/bin/sh\nexit 101\n')
    chmodSync(policy, 0o755)
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  try {
    for (let attempt = 1; attempt <= 3 && missing().length > 0; attempt++) {
      console.log(`installing ${missing().join(' ')}`)
      spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'inherit' })
      // one by one: a package that cannot be had must not keep the others away
      for (const name of missing())
        spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], {
          env,
          stdio: ['ignore', 'ignore', 'inherit'],
        })
    }
  } finally {
    if (guard) rmSync(policy, { force: true })
  }
  const still = [...missing(), ...(isFull ? unpack(env) : [])]
  if (still.length > 0) console.error(`could not be installed: ${still.join(' ')}`)
  return still.length === 0 ? 0 : 1
}
