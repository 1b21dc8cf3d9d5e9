import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { unpackedPeers } from '../peers.ts'
import { run, type RunningPeer, startServer } from '../process.ts'
import { type DaemonSetup, idsOf } from './setup.ts'

/** The file that the anonymous user of each FTP daemon finds, and the user `me` of proftpd. */
export const ftpFile = { name: 'hello.txt', content: 'hello from ftp\n' } as const

/** vsftpd, anonymous; it knows no CCC. */
export function startVsftpd(program: string, { folder, tls }: DaemonSetup): Promise<RunningPeer> {
  mkdirSync(folder.file('empty'))
  const config = (port: number): string => `listen=YES
background=NO
listen_address=127.0.0.1
listen_port=${port}
anonymous_enable=YES
anon_root=${publicFolder({ folder, tls })}
ftp_username=daemon
no_anon_password=YES
secure_chroot_dir=${folder.file('empty')}
seccomp_sandbox=NO
${tls === undefined ? '' : `ssl_enable=YES\nallow_anon_ssl=YES\nrequire_ssl_reuse=NO\nrsa_cert_file=${tls.cert}\nrsa_private_key_file=${tls.key}\n`}`
  return startServer(program, (port) => [folder.write('vsftpd.conf', config(port))])
}

/** proftpd, with the user `me` whose password is `secret`. */
export async function startProftpd(program: string, { folder, tls }: DaemonSetup): Promise<RunningPeer> {
  const [uid, gid] = await idsOf('nobody')
  const home = publicFolder({ folder, tls })
  chownSync(home, uid, gid)
  const hash = (await run('openssl', ['passwd', '-6', 'secret'])).stdout.trim()
  const users = folder.write('users', `me:${hash}:${uid}:${gid}:me:${home}:/bin/false\n`)
  chownSync(users, uid, gid)
  const modules = program.startsWith(unpackedPeers) ? `${unpackedPeers}/usr/lib/proftpd` : '/usr/lib/proftpd'
  const secure =
    tls === undefined
      ? ''
      : `TLSEngine on
TLSLog ${folder.file('tls.log')}
TLSProtocol TLSv1.2 TLSv1.3
TLSRSACertificateFile ${tls.cert}
TLSRSACertificateKeyFile ${tls.key}
TLSOptions NoSessionReuseRequired
`
  const config = (port: number): string => `ModulePath ${modules}
LoadModule mod_tls.c
ServerType standalone
ServerName localhost
DefaultAddress 127.0.0.1
Port ${port}
SocketBindTight on
UseIPv6 off
UseReverseDNS off
User nobody
Group nogroup
PidFile ${folder.file('proftpd.pid')}
ScoreboardFile ${folder.file('proftpd.score')}
DelayEngine off
WtmpLog off
TransferLog none
SystemLog ${folder.file('proftpd.log')}
AuthOrder mod_auth_file.c
AuthUserFile ${users}
DefaultRoot ~
RequireValidShell off
UseFtpUsers off
${secure}`
  return startServer(program, (port) => ['-n', '-c', folder.write('proftpd.conf', config(port))])
}

/** pure-ftpd, anonymous: with the home of this machine's user `ftp`. */
export function startPureFtpd(program: string, { folder, tls }: DaemonSetup): Promise<RunningPeer> {
  const files = tls === undefined ? [] : [tls.key, tls.cert]
  const pem = folder.write('both.pem', files.map((path) => readFileSync(path, 'utf8')).join('\n'))
  const protection = tls === undefined ? ['-Y', '0'] : ['-Y', '1', '-2', pem]
  // with a socket as its standard input it takes itself for a child of inetd
  return startServer('sh', (port) => [
    '-c',
    'exec "$0" "$@" < /dev/null',
    program,
    '-S',
    `127.0.0.1,${port}`,
    '-4',
    '-H',
    '-e',
    ...protection,
  ])
}

function publicFolder({ folder }: DaemonSetup): string {
  const path = folder.file('pub')
  mkdirSync(path, { recursive: true, mode: 0o755 })
  writeFileSync(`${path}/${ftpFile.name}`, ftpFile.content, { mode: 0o644 })
  chmodSync(path, 0o755)
  return path
}
