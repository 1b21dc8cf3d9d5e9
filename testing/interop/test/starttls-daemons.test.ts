import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { ftp, httpConnect, imap, ldap, pop3, postgres, smtp, type StartTls, xmpp } from '@x/starttls'
import { TestCa } from '@x-testing/test-ca'
import { afterAll, describe, expect, it } from 'vitest'
import { peer, run, type RunningPeer, startServer, TemporaryFolder } from '../src/index.ts'

const ca = new TestCa()
const identity = ca.server('localhost')
const folder = new TemporaryFolder({ 'cert.pem': identity.cert, 'key.pem': identity.key })
chmodSync(folder.path, 0o755) // daemons that give up root must reach their files
chmodSync(folder.file('cert.pem'), 0o644)
afterAll(() => folder.dispose())

const isRoot = process.getuid?.() === 0

interface Daemon {
  readonly name: string
  readonly program: string | undefined
  readonly needsRoot?: boolean
  readonly run: StartTls
  readonly start: (program: string) => Promise<RunningPeer>
  /** Said over TLS, and what the same daemon answers there. */
  readonly question: string | Buffer
  readonly answer: RegExp
}

const daemons: readonly Daemon[] = [
  {
    name: 'dovecot (imap)',
    program: peer('dovecot'),
    needsRoot: true,
    run: imap,
    start: startDovecot,
    question: 'a CAPABILITY\r\n',
    answer: /AUTH=PLAIN[^]*a OK/,
  },
  {
    name: 'postfix (smtp)',
    program: peer('postfix') === undefined ? undefined : '/usr/lib/postfix/sbin/master',
    needsRoot: true,
    run: smtp,
    start: startPostfix,
    question: 'EHLO client\r\n',
    answer: /^250-mail\.example\.org[^]*250 /m,
  },
  {
    name: 'slapd (ldap)',
    program: peer('slapd'),
    run: ldap,
    start: startSlapd,
    question: Buffer.from('300c020102600702010304008000', 'hex'), // an anonymous bind
    answer: /^0.\x02\x01\x02a/s,
  },
  {
    name: 'vsftpd (ftp)',
    program: peer('vsftpd'),
    needsRoot: true,
    run: ftp,
    start: startVsftpd,
    question: 'FEAT\r\n',
    answer: /AUTH TLS[^]*211 End/,
  },
  {
    name: 'postgresql',
    program: peer('postgres'),
    needsRoot: true,
    run: postgres,
    start: startPostgres,
    question: Buffer.from('\0\0\0\x17\0\x03\0\0user\0postgres\0\0', 'latin1'),
    answer: /^R\0\0\0\x08\0\0\0\0/,
  },
  {
    name: 'prosody (xmpp)',
    program: peer('prosody'),
    run: xmpp,
    start: startProsody,
    question:
      "<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
    answer: /<stream:features>(?!.*<starttls).*<\/stream:features>/,
  },
]

describe.each(daemons.map((daemon) => [daemon.name, daemon] as const))('%s', (_name, daemon) => {
  const { program } = daemon
  it.skipIf(program === undefined || (daemon.needsRoot === true && !isRoot))(
    'is reached over TLS by plain node:tls after the dialogue',
    { timeout: 60_000 },
    async () => {
      await using running = await daemon.start(program as string)
      const secure = await upgrade(running.port, daemon.run)
      expect(secure.authorized).toBe(true)
      expect(await ask(secure, daemon.question, daemon.answer)).toMatch(daemon.answer)
      secure.destroy()

      const elsewhere = upgrade(running.port, daemon.run, 'other.example.org')
      await expect(elsewhere).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    },
  )
})

describe('stunnel, which holds the dialogue for a plain server', () => {
  const stunnel = peer('stunnel4')
  const backends: readonly (readonly [string, StartTls, string])[] = [
    ['smtp', smtp, '220 mail.example.org ESMTP\r\n'],
    ['pop3', pop3, '+OK ready\r\n'],
    ['imap', imap, '* OK ready\r\n'],
    ['pgsql', postgres, ''],
  ]

  it.skipIf(stunnel === undefined).each(backends)('%s', { timeout: 30_000 }, async (protocol, dialogue, greeting) => {
    const backend = createServer((socket) => {
      socket.write(greeting)
      socket
        .on('error', () => undefined)
        .on('data', (data: Buffer) => socket.write(`you said ${data.toString('latin1')}`))
    })
    const port = await listen(backend)
    await using running = await startServer(stunnel as string, (accept) => [
      folder.write(
        `stunnel-${protocol}.conf`,
        `foreground = yes\npid =\ncert = ${folder.file('cert.pem')}\nkey = ${folder.file('key.pem')}\n[x]\naccept = 127.0.0.1:${accept}\nconnect = 127.0.0.1:${port}\nprotocol = ${protocol}\n`,
      ),
    ])
    const secure = await upgrade(running.port, dialogue)
    expect(await ask(secure, 'hello', /you said hello/)).toContain('you said hello')
    secure.destroy()
    backend.close()
  })
})

describe('a tunnel through an HTTP proxy', () => {
  const proxy = createHttpServer()
  proxy.on('connect', (request, client) => {
    const [host, port] = (request.url ?? '').split(':')
    const upstream = connect(Number(port), host)
    upstream.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\nProxy-Agent: test\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    upstream.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    client.on('error', () => upstream.destroy())
  })
  const openssl = peer('openssl')

  it.skipIf(openssl === undefined)('leads to openssl s_server', async () => {
    await using server = await startServer(
      openssl as string,
      (port) => [
        's_server',
        '-accept',
        `127.0.0.1:${port}`,
        '-cert',
        folder.file('cert.pem'),
        '-key',
        folder.file('key.pem'),
        '-rev',
      ],
      { ready: /ACCEPT/ },
    )
    const port = await listen(proxy)
    const secure = await upgrade(port, httpConnect, 'localhost', `127.0.0.1:${server.port}`)
    expect(await ask(secure, 'hello\n', /olleh/)).toContain('olleh')
    secure.destroy()
    await expect(upgrade(port, httpConnect, 'localhost', '127.0.0.1:1')).rejects.toMatchObject({
      code: 'ERR_STARTTLS_REFUSED',
      reply: 'HTTP/1.1 502 Bad Gateway',
    })
    proxy.closeAllConnections()
    proxy.close()
  })
})

async function upgrade(
  port: number,
  dialogue: StartTls,
  servername = 'localhost',
  name = 'localhost',
): Promise<TLSSocket> {
  const socket = connect(port, '127.0.0.1')
  try {
    await dialogue(socket, { name, timeout: 15_000 })
    const secure = connectTls({ socket, servername, ca: ca.ca })
    await once(secure, 'secureConnect')
    return secure
  } catch (error) {
    socket.on('error', () => undefined).destroy()
    throw error
  }
}

/** Sends, and collects what comes until it matches. */
async function ask(secure: TLSSocket, question: string | Buffer, answer: RegExp): Promise<string> {
  secure.write(question)
  let text = ''
  for await (const chunk of secure as AsyncIterable<Buffer>) {
    text += chunk.toString('latin1')
    if (answer.test(text)) break
  }
  return text
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function startDovecot(program: string): Promise<RunningPeer> {
  const config = (port: number): string => `base_dir = ${folder.file('dovecot')}
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <${folder.file('cert.pem')}
ssl_key = <${folder.file('key.pem')}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
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

async function startPostfix(program: string): Promise<RunningPeer> {
  const home = folder.file('postfix')
  mkdirSync(`${home}/queue`, { recursive: true })
  mkdirSync(`${home}/data`)
  const ids = await run('id', ['-u', 'postfix'])
  chownSync(`${home}/data`, Number(ids.stdout), 0)
  folder.write(
    'postfix/main.cf',
    `compatibility_level = 3.6
queue_directory = ${home}/queue
data_directory = ${home}/data
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
maillog_file = /dev/stdout
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
alias_maps =
local_recipient_maps =
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_chain_files = ${folder.file('key.pem')}, ${folder.file('cert.pem')}
`,
  )
  // Makes the queue's folders; the daemon itself is then started in the foreground.
  folder.write('postfix/master.cf', '')
  await run('postfix', ['-c', home, 'check'])
  const services = (port: number): string => `127.0.0.1:${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
`
  return startServer(
    program,
    (port) => {
      folder.write('postfix/master.cf', services(port))
      return ['-c', home, '-d']
    },
    { env: { ...process.env, MAIL_CONFIG: home } },
  )
}

function startSlapd(program: string): Promise<RunningPeer> {
  const config = folder.write(
    'slapd.conf',
    `TLSCertificateFile ${folder.file('cert.pem')}
TLSCertificateKeyFile ${folder.file('key.pem')}
pidfile ${folder.file('slapd.pid')}
database config
rootpw secret
`,
  )
  return startServer(program, (port) => ['-d', '0', '-h', `ldap://127.0.0.1:${port}/`, '-f', config])
}

function startVsftpd(program: string): Promise<RunningPeer> {
  mkdirSync(folder.file('empty'))
  const config = (port: number): string => `listen=YES
background=NO
listen_address=127.0.0.1
listen_port=${port}
anonymous_enable=YES
ssl_enable=YES
allow_anon_ssl=YES
rsa_cert_file=${folder.file('cert.pem')}
rsa_private_key_file=${folder.file('key.pem')}
secure_chroot_dir=${folder.file('empty')}
seccomp_sandbox=NO
`
  return startServer(program, (port) => [folder.write('vsftpd.conf', config(port))])
}

async function startPostgres(program: string): Promise<RunningPeer> {
  const data = folder.file('postgres')
  mkdirSync(data)
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'postgres'])).stdout)),
  )
  const key = folder.write('postgres.key', identity.key)
  for (const path of [data, key]) chownSync(path, uid as number, gid as number)
  const home = (await run('pg_config', ['--bindir'])).stdout.trim()
  const made = await run('setpriv', [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    `${home}/initdb`,
    '-D',
    data,
    '-A',
    'trust',
    '--no-sync',
  ])
  if (made.code !== 0) throw new Error(made.stderr)
  const settings = [
    `ssl_cert_file=${folder.file('cert.pem')}`,
    `ssl_key_file=${key}`,
    'ssl=on',
    'unix_socket_directories=',
    'listen_addresses=127.0.0.1',
    'fsync=off',
  ]
  // It refuses to run as root.
  return startServer(
    'setpriv',
    (port) => [
      `--reuid=${uid}`,
      `--regid=${gid}`,
      '--clear-groups',
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

function startProsody(program: string): Promise<RunningPeer> {
  mkdirSync(folder.file('prosody'))
  const config = (port: number): string => `run_as_root = true
pidfile = "${folder.file('prosody.pid')}"
data_path = "${folder.file('prosody')}"
log = { info = "*console" }
modules_enabled = { "tls", "saslauth" }
modules_disabled = { "s2s" }
interfaces = { "127.0.0.1" }
c2s_ports = { ${port} }
c2s_direct_tls_ports = { }
s2s_ports = { }
c2s_require_encryption = true
VirtualHost "localhost"
  ssl = { key = "${folder.file('key.pem')}", certificate = "${folder.file('cert.pem')}" }
`
  return startServer(program, (port) => ['-F', '--config', folder.write('prosody.lua', config(port))])
}
