import { type RunningPeer, startServer } from '../process.ts'
import type { DaemonSetup } from './setup.ts'

type Protocol = 'imap' | 'pop3' | 'lmtp' | 'sieve'

const services: Readonly<Record<Protocol, (port: number) => string>> = {
  imap: (port) => login('imap-login', 'imap', 'imaps', port),
  pop3: (port) => login('pop3-login', 'pop3', 'pop3s', port),
  sieve: (port) => `service managesieve-login {
  chroot =
  inet_listener sieve {
    port = ${port}
  }
}
`,
  lmtp: (port) => `service lmtp {
  inet_listener lmtp {
    port = ${port}
  }
}
`,
}

const login = (service: string, plain: string, secure: string, port: number): string => `service ${service} {
  chroot =
  inet_listener ${plain} {
    port = ${port}
  }
  inet_listener ${secure} {
    port = 0
  }
}
`

/** One protocol of dovecot, with users of any name and the password `secret`. */
export function startDovecot(
  program: string,
  { folder, tls }: DaemonSetup,
  protocol: Protocol = 'imap',
): Promise<RunningPeer> {
  const config = (port: number): string => `base_dir = ${folder.file('dovecot')}
log_path = /dev/stderr
protocols = ${protocol}
listen = 127.0.0.1
${tls === undefined ? 'ssl = no' : `ssl = required\nssl_cert = <${tls.cert}\nssl_key = <${tls.key}`}
${services[protocol](port)}
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${folder.path}
}
`
  return startServer(program, (port) => ['-F', '-c', folder.write('dovecot.conf', config(port))], {
    ready: /starting up/,
  })
}
