import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs'

/** Debian packages of the peers that `pnpm interop` is shown against. vsftpd and proftpd cannot be installed together. */
const packages = [
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

/** Installs what is missing; the daemons among them are not started. Returns an exit status. */
export function installPeers() {
  if (missing().length === 0) {
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
  const still = missing()
  if (still.length > 0) console.error(`could not be installed: ${still.join(' ')}`)
  return still.length === 0 ? 0 : 1
}
