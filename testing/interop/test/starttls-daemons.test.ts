import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { runCommand } from '@x/cli'
import { connect, type ConnectOptions } from '@x/socket'
import {
  ftp,
  imap,
  irc,
  ldap,
  lmtp,
  mysql,
  nntp,
  pop3,
  postgres,
  sieve,
  smtp,
  type StartTls,
  type StartTlsErrorCode,
  xmpp,
} from '@x/starttls'
import { TestCa } from '@x-testing/test-ca'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type DaemonSetup,
  daemonSetup,
  type StartDaemon,
  startDovecot,
  startInspircd,
  startMariadb,
  startNnrpd,
  startPostfix,
  startPostgres,
  startProftpd,
  startProsody,
  startPureFtpd,
  startSlapd,
  startVsftpd,
} from '../src/daemons/index.ts'
import { isFullRun, peer, peerOfFull, type RunningPeer } from '../src/index.ts'

/*
 * Every dialogue with a daemon as it is installed: trusted by `connect({starttls})`, by plain node:tls after the dialogue, and by
 * `x-tls check`; refused for its name and for its CA; and refused where it has no TLS. smtp, imap, ftp, ldap, postgres and xmpp run
 * always, the others with INTEROP_FULL=1.
 */

const ca = new TestCa()
const stranger = new TestCa()
const identity = ca.server('localhost')
const isRoot = process.getuid?.() === 0

interface Daemon {
  readonly name: string
  readonly program: string | undefined
  readonly run: StartTls
  /** Its word for `x-tls check --starttls`. */
  readonly word: string
  readonly start: StartDaemon
  /** Said over TLS, and what the same daemon answers there. */
  readonly question: string | Buffer
  readonly answer: RegExp
  /** What the dialogue says of it where it has no TLS. */
  readonly without: StartTlsErrorCode
}

const dovecot = (protocol: 'imap' | 'pop3' | 'lmtp' | 'sieve'): StartDaemon => {
  return (program, setup) => startDovecot(program, setup, protocol)
}

/** HandshakeResponse41 of the user root without a password: packet 2 of the dialogue that `mysql` has begun. */
const mysqlLogin = Buffer.concat([
  Buffer.from(`05aa0800000000012d${'00'.repeat(23)}`, 'hex'),
  Buffer.from('root\0\0mysql_native_password\0'),
])
const mysqlPacket = Buffer.concat([Buffer.from([mysqlLogin.length, 0, 0, 2]), mysqlLogin])

const daemons: readonly Daemon[] = [
  {
    name: 'dovecot (imap)',
    program: peer('dovecot'),
    run: imap,
    word: 'imap',
    start: dovecot('imap'),
    question: 'a CAPABILITY\r\n',
    answer: /AUTH=PLAIN[^]*a OK/,
    without: 'ERR_STARTTLS_REFUSED',
  },
  {
    name: 'postfix (smtp)',
    program: peer('postfix') === undefined ? undefined : '/usr/lib/postfix/sbin/master',
    run: smtp,
    word: 'smtp',
    start: startPostfix,
    question: 'EHLO client\r\n',
    answer: /^250-mail\.example\.org(?![^]*STARTTLS)[^]*250 /m,
    without: 'ERR_STARTTLS_UNSUPPORTED',
  },
  {
    name: 'slapd (ldap)',
    program: peer('slapd'),
    run: ldap,
    word: 'ldap',
    start: startSlapd,
    question: Buffer.from('300c020102600702010304008000', 'hex'), // an anonymous bind
    answer: /^0.\x02\x01\x02a/s,
    without: 'ERR_STARTTLS_REFUSED',
  },
  {
    name: 'vsftpd (ftp)',
    program: peer('vsftpd'),
    run: ftp,
    word: 'ftp',
    start: startVsftpd,
    question: 'FEAT\r\n',
    answer: /AUTH TLS[^]*211 End/,
    without: 'ERR_STARTTLS_REFUSED',
  },
  {
    name: 'postgresql',
    program: peer('postgres'),
    run: postgres,
    word: 'postgres',
    start: startPostgres,
    question: Buffer.from('\0\0\0\x17\0\x03\0\0user\0postgres\0\0', 'latin1'),
    answer: /^R\0\0\0\x08\0\0\0\0/,
    without: 'ERR_STARTTLS_UNSUPPORTED',
  },
  {
    name: 'prosody (xmpp)',
    program: peer('prosody'),
    run: xmpp,
    word: 'xmpp',
    start: startProsody,
    question:
      "<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
    answer: /<stream:features>(?!.*<starttls).*<\/stream:features>/,
    without: 'ERR_STARTTLS_UNSUPPORTED',
  },
]

const daemonsOfFull: readonly Daemon[] = [
  {
    name: 'dovecot (pop3)',
    program: peerOfFull('dovecot'),
    run: pop3,
    word: 'pop3',
    start: dovecot('pop3'),
    question: 'CAPA\r\n',
    answer: /^\+OK[^]*SASL PLAIN[^]*\r\n\.\r\n/m,
    without: 'ERR_STARTTLS_REFUSED',
  },
  {
    name: 'dovecot (lmtp)',
    program: peerOfFull('dovecot'),
    run: lmtp,
    word: 'lmtp',
    start: dovecot('lmtp'),
    question: 'LHLO client\r\n',
    answer: /^250-(?![^]*STARTTLS)[^]*250 /m,
    without: 'ERR_STARTTLS_UNSUPPORTED',
  },
  {
    name: 'dovecot (sieve)',
    program: peerOfFull('dovecot'),
    run: sieve,
    word: 'sieve',
    start: dovecot('sieve'),
    question: 'NOOP\r\n', // its features come unasked (RFC 5804, 2.2)
    answer: /"SASL" "PLAIN"[^]*OK "NOOP/,
    without: 'ERR_STARTTLS_UNSUPPORTED',
  },
  {
    name: 'proftpd (ftp)',
    program: peerOfFull('proftpd'),
    run: ftp,
    word: 'ftp',
    start: startProftpd,
    question: 'FEAT\r\n',
    answer: /AUTH TLS[^]*CCC[^]*211 End/,
    without: 'ERR_STARTTLS_REFUSED',
  },
  {
    name: 'pure-ftpd (ftp)',
    program: peerOfFull('pure-ftpd'),
    run: ftp,
    word: 'ftp',
    start: startPureFtpd,
    question: 'FEAT\r\n',
    answer: /AUTH TLS[^]*211 End/,
    without: 'ERR_STARTTLS_REFUSED',
  },
  {
    name: 'mariadb (mysql)',
    program: peerOfFull('mariadbd'),
    run: mysql,
    word: 'mysql',
    start: startMariadb,
    question: mysqlPacket,
    answer: /^.\0\0\x03\0/s, // OK
    without: 'ERR_STARTTLS_UNSUPPORTED',
  },
  {
    name: 'inspircd (irc)',
    program: peerOfFull('inspircd'),
    run: irc,
    word: 'irc',
    start: startInspircd,
    question: 'NICK joe\r\nUSER joe 0 * :joe\r\n',
    answer: /^:irc\.example\.org 001 joe /m,
    without: 'ERR_STARTTLS_TIMEOUT', // it says nothing to commands that it does not know
  },
  {
    name: 'nnrpd of INN (nntp)',
    program: peerOfFull('nnrpd'),
    run: nntp,
    word: 'nntp',
    start: startNnrpd,
    question: 'CAPABILITIES\r\n',
    answer: /^101 (?![^]*STARTTLS)[^]*VERSION 2[^]*\r\n\.\r\n/m,
    without: 'ERR_STARTTLS_REFUSED',
  },
]

const rows = [...daemons, ...(isFullRun ? daemonsOfFull : [])].map((daemon) => [daemon.name, daemon] as const)

// Root: the daemons give it up themselves, and some do not start without.
describe.each(rows)('%s', { timeout: 150_000 }, (_name, daemon) => {
  const { program, run, word } = daemon
  describe.skipIf(program === undefined || !isRoot)('with TLS', () => {
    let setup: DaemonSetup
    let running: RunningPeer
    beforeAll(async () => {
      setup = daemonSetup(identity)
      running = await daemon.start(program as string, setup)
    }, 150_000)
    afterAll(async () => {
      await running?.stop()
      setup.folder.dispose()
    })

    /** The dialogue says 'localhost' also where another name is to be proven. */
    const dial = (options: Partial<ConnectOptions>): ReturnType<typeof connect> =>
      connect({
        host: 'localhost',
        port: running.port,
        ca: ca.ca,
        starttls: (stream, given) => run(stream, { ...given, name: 'localhost' }),
        ...options,
      })

    it.each([false, true])('is trusted by connect(), and talks over TLS (record by record: %s)', async (stoppable) => {
      const secure = await dial({ starttls: run, stoppable })
      expect(secure.verification?.outcomes.name).toMatchObject({ result: 'passed', evidence: { host: 'localhost' } })
      expect(await ask(secure, daemon.question, daemon.answer)).toMatch(daemon.answer)
      secure.destroy()
    })

    it('is refused under another name, and by who does not know its CA', async () => {
      await expect(dial({ verify: { name: 'other.example.org' } })).rejects.toMatchObject({
        name: 'PeerRefusedError',
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      })
      await expect(dial({ ca: stranger.ca })).rejects.toMatchObject({
        name: 'PeerRefusedError',
        code: expect.stringMatching(/^UNABLE_TO_(?:GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)/) as string,
      })
    })

    it('is found verified, and not, by x-tls check', async () => {
      const caFile = setup.folder.write('ca.pem', ca.ca)
      const plain = ['check', `localhost:${running.port}`, '--starttls', word, '--timeout', '60000']
      const args = [...plain, '--ca-file', caFile]
      const lines: string[] = []
      const output = { print: (text: string) => lines.push(text), printError: () => undefined, colours: false }
      expect(await runCommand([...args, '--json'], output)).toBe(0)
      expect(JSON.parse(lines.join('\n'))).toMatchObject({ verified: true })
      if (word !== 'xmpp') expect(await runCommand([...args, '--name', 'other.example.org'], output)).toBe(1)
      expect(await runCommand(plain, output)).toBe(1) // this machine's CAs do not know it
    })

    it('is reached over TLS by plain node:tls after the dialogue', async () => {
      const secure = await upgrade(running.port, run)
      expect(secure.authorized).toBe(true)
      expect(await ask(secure, daemon.question, daemon.answer)).toMatch(daemon.answer)
      secure.destroy()
      await expect(upgrade(running.port, run, 'other.example.org')).rejects.toMatchObject({
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      })
    })
  })

  it.skipIf(program === undefined || !isRoot)('is refused without TLS, and hands its connection over', async () => {
    const setup = daemonSetup()
    await using running = await daemon.start(program as string, setup)
    const isSilent = daemon.without === 'ERR_STARTTLS_TIMEOUT'
    const options = {
      host: 'localhost',
      port: running.port,
      ca: ca.ca,
      starttls: run,
      ...(isSilent ? { handshakeTimeout: 500 } : {}),
    }
    await expect(connect(options)).rejects.toMatchObject({ code: daemon.without, phase: 'starttls' })
    const taken: Duplex[] = []
    const handing = connect({ ...options, onHandshakeError: (transport) => void taken.push(transport) })
    await expect(handing).rejects.toMatchObject({ code: daemon.without })
    expect(taken.map(({ destroyed }) => destroyed)).toEqual([false])
    taken[0]?.destroy()
    await running.stop()
    setup.folder.dispose()
  })
})

async function upgrade(port: number, dialogue: StartTls, servername = 'localhost'): Promise<TLSSocket> {
  const socket = connectTcp(port, '127.0.0.1')
  try {
    await dialogue(socket, { name: 'localhost', timeout: 60_000 })
    const secure = connectTls({ socket, servername, ca: ca.ca })
    await once(secure, 'secureConnect')
    return secure
  } catch (error) {
    socket.on('error', () => undefined).destroy()
    throw error
  }
}

/** Sends, and collects what comes until it matches. */
async function ask(secure: Duplex, question: string | Buffer, answer: RegExp): Promise<string> {
  secure.write(question)
  let text = ''
  for await (const chunk of secure as AsyncIterable<Buffer>) {
    text += chunk.toString('latin1')
    if (answer.test(text)) break
  }
  return text
}
