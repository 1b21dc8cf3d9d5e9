import { Duplex } from 'node:stream'
import * as starttls from '../src/index.ts'
import type { StartTls, StartTlsErrorCode } from '../src/index.ts'

/** Bytes of the server (`>`), or what the client must send next (`<`, exactly). */
export type Step = readonly ['>' | '<', string | Buffer]
export type Script = readonly Step[]

export interface Dialogue {
  readonly run: StartTls
  readonly name?: string
  readonly good: Script
  /** A second form of the good dialogue, as other servers write it. */
  readonly also?: readonly Script[]
  readonly refused: readonly (readonly [StartTlsErrorCode, Script])[]
  /** What a server would have to send without end, and the code for it. */
  readonly endless: readonly (readonly [StartTlsErrorCode, Script])[]
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const line = 'a'.repeat(9000)

const mail = (word: string): Omit<Dialogue, 'run'> => {
  const hello = `${word} [127.0.0.1]\r\n`
  return {
    good: [
      ['>', '220 mail.example.org ESMTP\r\n'],
      ['<', hello],
      ['>', '250-mail.example.org\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n'],
      ['<', 'STARTTLS\r\n'],
      ['>', '220 2.0.0 go ahead\r\n'],
    ],
    also: [
      [
        ['>', '220-mail\r\n220-does not like spam\r\n220 really\r\n'],
        ['<', hello],
        ['>', '250-mail\n250 starttls\n'],
        ['<', 'STARTTLS\r\n'],
        ['>', '220\r\n'],
      ],
    ],
    refused: [
      ['ERR_STARTTLS_REFUSED', [['>', '554 go away\r\n']]],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['>', '220 mail\r\n'],
          ['<', hello],
          ['>', '502 what?\r\n'],
        ],
      ],
      [
        'ERR_STARTTLS_UNSUPPORTED',
        [
          ['>', '220 mail\r\n'],
          ['<', hello],
          ['>', '250-mail\r\n250 PIPELINING\r\n'],
        ],
      ],
      [
        'ERR_STARTTLS_UNSUPPORTED',
        [
          ['>', '220 mail\r\n'],
          ['<', hello],
          ['>', '250-STARTTLS\r\n250 X-STARTTLS\r\n'],
        ],
      ],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['>', '220 mail\r\n'],
          ['<', hello],
          ['>', '250-mail\r\n250 STARTTLS\r\n'],
          ['<', 'STARTTLS\r\n'],
          ['>', '454 TLS not available\r\n'],
        ],
      ],
      ['ERR_STARTTLS_PROTOCOL', [['>', 'HTTP/1.1 400 Bad Request\r\n']]],
      ['ERR_STARTTLS_PROTOCOL', [['>', '220-mail\r\n250 mail\r\n']]],
      ['ERR_STARTTLS_PROTOCOL', [['>', '2200 mail\r\n']]],
    ],
    endless: [
      ['ERR_STARTTLS_LIMIT', [['>', line]]],
      ['ERR_STARTTLS_LIMIT', [['>', '220-a\r\n'.repeat(200)]]],
      ['ERR_STARTTLS_LIMIT', [['>', `220-${'a'.repeat(8000)}\r\n`.repeat(9)]]],
    ],
  }
}

const features =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='a>b' from='example.org' version='1.0'>"
const header =
  "<?xml version='1.0'?><stream:stream to='example.org' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
const tls = "xmlns='urn:ietf:params:xml:ns:xmpp-tls'"
const mysqlGreeting = (capabilities: string): Buffer => {
  const body = hex(
    `0a 382e302e3100 05000000 0102030405060708 00 ${capabilities} 2d 0200 ffcf 15 00000000000000000000 0102030405060708 00`,
  )
  return Buffer.concat([Buffer.from([body.length, 0, 0, 0]), body])
}
const mysqlRequest = hex(`20000001 05aa0800 00000001 2d ${'00'.repeat(23)}`)
const ldapRequest = hex('301d02010177188016312e332e362e312e342e312e313436362e3230303337')
const connect = 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n'

/** Every protocol, as its servers speak it and as they must not. */
export const dialogues: Readonly<Record<string, Dialogue>> = {
  smtp: { run: starttls.smtp, ...mail('EHLO') },
  lmtp: { run: starttls.lmtp, ...mail('LHLO') },
  imap: {
    run: starttls.imap,
    good: [
      ['>', '* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n'],
      ['<', 'x1 STARTTLS\r\n'],
      ['>', 'x1 OK begin\r\n'],
    ],
    also: [
      [
        ['>', '* ok\r\n'],
        ['<', 'x1 STARTTLS\r\n'],
        ['>', '* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n* OK still here\r\nx1 ok\r\n'],
      ],
    ],
    refused: [
      ['ERR_STARTTLS_REFUSED', [['>', '* PREAUTH welcome back\r\n']]],
      ['ERR_STARTTLS_REFUSED', [['>', '* BYE too many\r\n']]],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['>', '* OK\r\n'],
          ['<', 'x1 STARTTLS\r\n'],
          ['>', 'x1 NO not now\r\n'],
        ],
      ],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['>', '* OK\r\n'],
          ['<', 'x1 STARTTLS\r\n'],
          ['>', 'x1 BAD unknown\r\n'],
        ],
      ],
      [
        'ERR_STARTTLS_PROTOCOL',
        [
          ['>', '* OK\r\n'],
          ['<', 'x1 STARTTLS\r\n'],
          ['>', 'x2 OK\r\n'],
        ],
      ],
      ['ERR_STARTTLS_PROTOCOL', [['>', '* OKAY\r\n']]],
      ['ERR_STARTTLS_PROTOCOL', [['>', '+OK\r\n']]],
    ],
    endless: [
      ['ERR_STARTTLS_LIMIT', [['>', `* OK ${line}`]]],
      [
        'ERR_STARTTLS_LIMIT',
        [
          ['>', '* OK\r\n'],
          ['<', 'x1 STARTTLS\r\n'],
          ['>', '* FLAGS ()\r\n'.repeat(200)],
        ],
      ],
    ],
  },
  pop3: {
    run: starttls.pop3,
    good: [
      ['>', '+OK ready\r\n'],
      ['<', 'STLS\r\n'],
      ['>', '+OK begin\r\n'],
    ],
    refused: [
      ['ERR_STARTTLS_REFUSED', [['>', '-ERR busy\r\n']]],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['>', '+OK\r\n'],
          ['<', 'STLS\r\n'],
          ['>', '-ERR no\r\n'],
        ],
      ],
      ['ERR_STARTTLS_PROTOCOL', [['>', '+OKAY\r\n']]],
      ['ERR_STARTTLS_PROTOCOL', [['>', '220 mail\r\n']]],
    ],
    endless: [['ERR_STARTTLS_LIMIT', [['>', line]]]],
  },
  ftp: {
    run: starttls.ftp,
    good: [
      ['>', '220 ready\r\n'],
      ['<', 'AUTH TLS\r\n'],
      ['>', '234 begin\r\n'],
    ],
    also: [
      [
        ['>', '220-welcome\r\nto this\r\n 230 fine server\r\n221-is no end\r\n220 ready\r\n'],
        ['<', 'AUTH TLS\r\n'],
        ['>', '234-a\r\n234 b\r\n'],
      ],
    ],
    refused: [
      ['ERR_STARTTLS_REFUSED', [['>', '421 busy\r\n']]],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['>', '220\r\n'],
          ['<', 'AUTH TLS\r\n'],
          ['>', '500 unknown\r\n'],
        ],
      ],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['>', '220\r\n'],
          ['<', 'AUTH TLS\r\n'],
          ['>', '334 data?\r\n'],
        ],
      ],
      ['ERR_STARTTLS_PROTOCOL', [['>', 'hello\r\n']]],
    ],
    endless: [
      ['ERR_STARTTLS_LIMIT', [['>', line]]],
      ['ERR_STARTTLS_LIMIT', [['>', `220-\r\n${'a\r\n'.repeat(200)}`]]],
    ],
  },
  ftpClearCommandChannel: {
    run: starttls.ftpClearCommandChannel,
    good: [
      ['<', 'CCC\r\n'],
      ['>', '200 ok\r\n'],
    ],
    refused: [
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['<', 'CCC\r\n'],
          ['>', '533 never\r\n'],
        ],
      ],
    ],
    endless: [
      [
        'ERR_STARTTLS_LIMIT',
        [
          ['<', 'CCC\r\n'],
          ['>', line],
        ],
      ],
    ],
  },
  nntp: {
    run: starttls.nntp,
    good: [
      ['>', '200 posting\r\n'],
      ['<', 'STARTTLS\r\n'],
      ['>', '382 begin\r\n'],
    ],
    also: [
      [
        ['>', '201 no posting\r\n'],
        ['<', 'STARTTLS\r\n'],
        ['>', '382\r\n'],
      ],
    ],
    refused: [
      ['ERR_STARTTLS_REFUSED', [['>', '400 busy\r\n']]],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['>', '200\r\n'],
          ['<', 'STARTTLS\r\n'],
          ['>', '580 cannot\r\n'],
        ],
      ],
      ['ERR_STARTTLS_PROTOCOL', [['>', '700 x\r\n']]],
    ],
    endless: [['ERR_STARTTLS_LIMIT', [['>', line]]]],
  },
  sieve: {
    run: starttls.sieve,
    good: [
      ['>', '"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\n"SASL" ""\r\nOK "ready"\r\n'],
      ['<', 'STARTTLS\r\n'],
      ['>', 'OK "begin"\r\n'],
    ],
    also: [
      [
        ['>', '{14}\r\nIMPLEMENTATION {3+}\r\n\r\nO\r\n{8}\r\nSTARTTLS\r\nOK (X) {2}\r\nhi\r\n'],
        ['<', 'STARTTLS\r\n'],
        ['>', 'ok\r\n'],
      ],
    ],
    refused: [
      ['ERR_STARTTLS_REFUSED', [['>', 'BYE "busy"\r\n']]],
      ['ERR_STARTTLS_UNSUPPORTED', [['>', '"IMPLEMENTATION" "STARTTLS"\r\nOK\r\n']]],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['>', '"STARTTLS"\r\nOK\r\n'],
          ['<', 'STARTTLS\r\n'],
          ['>', 'NO {5}\r\nnever\r\n'],
        ],
      ],
      ['ERR_STARTTLS_PROTOCOL', [['>', '220 mail\r\n']]],
    ],
    endless: [
      ['ERR_STARTTLS_LIMIT', [['>', line]]],
      ['ERR_STARTTLS_LIMIT', [['>', '"A" {999999999}\r\n']]],
      ['ERR_STARTTLS_LIMIT', [['>', '"A"\r\n'.repeat(200)]]],
    ],
  },
  irc: {
    run: starttls.irc,
    good: [
      ['<', 'STARTTLS\r\n'],
      ['>', ':irc.example.org 670 * :STARTTLS successful\r\n'],
    ],
    also: [
      [
        ['<', 'STARTTLS\r\n'],
        ['>', 'NOTICE AUTH :*** Looking up your hostname\r\nPING :abc\r\n'],
        ['<', 'PONG :abc\r\n'],
        ['>', '670 * :go\r\n'],
      ],
    ],
    refused: [
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['<', 'STARTTLS\r\n'],
          ['>', ':irc 691 * :failed\r\n'],
        ],
      ],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['<', 'STARTTLS\r\n'],
          ['>', ':irc 421 * STARTTLS :unknown\r\n'],
        ],
      ],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['<', 'STARTTLS\r\n'],
          ['>', 'ERROR :closing\r\n'],
        ],
      ],
      [
        'ERR_STARTTLS_PROTOCOL',
        [
          ['<', 'STARTTLS\r\n'],
          ['>', '\r\n'],
        ],
      ],
    ],
    endless: [
      [
        'ERR_STARTTLS_LIMIT',
        [
          ['<', 'STARTTLS\r\n'],
          ['>', line],
        ],
      ],
      [
        'ERR_STARTTLS_LIMIT',
        [
          ['<', 'STARTTLS\r\n'],
          ['>', 'NOTICE x\r\n'.repeat(100)],
        ],
      ],
    ],
  },
  xmpp: {
    run: starttls.xmpp,
    name: 'example.org',
    good: [
      ['<', header],
      ['>', `${features}<stream:features><starttls ${tls}><required/></starttls></stream:features>`],
      ['<', `<starttls ${tls}/>`],
      ['>', `<proceed ${tls}/>`],
    ],
    also: [
      [
        ['<', header],
        [
          '>',
          `\n${features}\n<stream:features>\n<a b="</stream:features>"/><starttls ${tls.replaceAll("'", '"')}/></stream:features >`,
        ],
        ['<', `<starttls ${tls}/>`],
        ['>', ` <proceed ${tls}></proceed>`],
      ],
    ],
    refused: [
      [
        'ERR_STARTTLS_UNSUPPORTED',
        [
          ['<', header],
          ['>', `${features}<stream:features><bind xmlns='b'/></stream:features>`],
        ],
      ],
      [
        'ERR_STARTTLS_UNSUPPORTED',
        [
          ['<', header],
          ['>', `${features}<stream:features/>`],
        ],
      ],
      [
        'ERR_STARTTLS_UNSUPPORTED',
        [
          ['<', header],
          ['>', `${features}<stream:features><starttls xmlns='other'/></stream:features>`],
        ],
      ],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['<', header],
          ['>', `${features}<stream:error><host-unknown/></stream:error>`],
        ],
      ],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['<', header],
          ['>', `${features}<stream:features><starttls ${tls}/></stream:features>`],
          ['<', `<starttls ${tls}/>`],
          ['>', `<failure ${tls}/>`],
        ],
      ],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['<', header],
          ['>', `${features}<stream:features><starttls ${tls}/></stream:features>`],
          ['<', `<starttls ${tls}/>`],
          ['>', "<proceed xmlns='other'/>"],
        ],
      ],
      [
        'ERR_STARTTLS_PROTOCOL',
        [
          ['<', header],
          ['>', `${features}<stream:features><starttls ${tls}/></stream:features>`],
          ['<', `<starttls ${tls}/>`],
          ['>', `<proceed ${tls}><a/></proceed>`],
        ],
      ],
      [
        'ERR_STARTTLS_PROTOCOL',
        [
          ['<', header],
          ['>', '<!DOCTYPE a>'],
        ],
      ],
    ],
    endless: [
      [
        'ERR_STARTTLS_LIMIT',
        [
          ['<', header],
          ['>', `<${line}`],
        ],
      ],
      [
        'ERR_STARTTLS_LIMIT',
        [
          ['<', header],
          ['>', line],
        ],
      ],
      [
        'ERR_STARTTLS_LIMIT',
        [
          ['<', header],
          ['>', '<a>'.repeat(300)],
        ],
      ],
    ],
  },
  ldap: {
    run: starttls.ldap,
    good: [
      ['<', ldapRequest],
      ['>', hex('300c 020101 7807 0a0100 0400 0400')],
    ],
    also: [
      [
        ['<', ldapRequest],
        [
          '>',
          hex('308400000028 020101 78840000001f 0a0100 0400 0400 8a16312e332e362e312e342e312e313436362e3230303337'),
        ],
      ],
    ],
    refused: [
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['<', ldapRequest],
          ['>', hex('300f 020101 780a 0a0134 0400 0403 6e6f21')],
        ],
      ],
      [
        'ERR_STARTTLS_PROTOCOL',
        [
          ['<', ldapRequest],
          ['>', hex('300c 020102 7807 0a0100 0400 0400')],
        ],
      ],
      [
        'ERR_STARTTLS_PROTOCOL',
        [
          ['<', ldapRequest],
          ['>', hex('300c 020101 6107 0a0100 0400 0400')],
        ],
      ],
      [
        'ERR_STARTTLS_PROTOCOL',
        [
          ['<', ldapRequest],
          ['>', hex('300d 020101 7808 0a020000 0400 0400')],
        ],
      ],
      [
        'ERR_STARTTLS_PROTOCOL',
        [
          ['<', ldapRequest],
          ['>', hex('300c 020101 7808 0a0100 0400 0400')],
        ],
      ],
      [
        'ERR_STARTTLS_PROTOCOL',
        [
          ['<', ldapRequest],
          ['>', hex('3000')],
        ],
      ],
      [
        'ERR_STARTTLS_PROTOCOL',
        [
          ['<', ldapRequest],
          ['>', hex('3080')],
        ],
      ],
      [
        'ERR_STARTTLS_PROTOCOL',
        [
          ['<', ldapRequest],
          ['>', 'HTTP'],
        ],
      ],
    ],
    endless: [
      [
        'ERR_STARTTLS_LIMIT',
        [
          ['<', ldapRequest],
          ['>', hex('30847fffffff')],
        ],
      ],
    ],
  },
  postgres: {
    run: starttls.postgres,
    good: [
      ['<', hex('0000000804d2162f')],
      ['>', 'S'],
    ],
    refused: [
      [
        'ERR_STARTTLS_UNSUPPORTED',
        [
          ['<', hex('0000000804d2162f')],
          ['>', 'N'],
        ],
      ],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['<', hex('0000000804d2162f')],
          ['>', 'E'],
        ],
      ],
      [
        'ERR_STARTTLS_PROTOCOL',
        [
          ['<', hex('0000000804d2162f')],
          ['>', 'x'],
        ],
      ],
    ],
    endless: [],
  },
  mysql: {
    run: starttls.mysql,
    good: [
      ['>', mysqlGreeting('ffff')],
      ['<', mysqlRequest],
    ],
    refused: [
      ['ERR_STARTTLS_UNSUPPORTED', [['>', mysqlGreeting('fff7')]]],
      ['ERR_STARTTLS_REFUSED', [['>', hex('05000000 ff 1004 6e6f')]]],
      ['ERR_STARTTLS_PROTOCOL', [['>', hex('05000000 09 380001 02')]]],
      ['ERR_STARTTLS_PROTOCOL', [['>', hex('05000000 0a 38383838')]]],
      ['ERR_STARTTLS_PROTOCOL', [['>', hex('05000000 0a 38380001')]]],
      ['ERR_STARTTLS_PROTOCOL', [['>', hex('00000000')]]],
    ],
    endless: [['ERR_STARTTLS_LIMIT', [['>', hex('ffffff00')]]]],
  },
  httpConnect: {
    run: starttls.httpConnect,
    name: 'example.org',
    good: [
      ['<', connect],
      ['>', 'HTTP/1.1 200 Connection established\r\n\r\n'],
    ],
    also: [
      [
        ['<', connect],
        ['>', 'HTTP/1.0 201 \r\nProxy-Agent: x\r\nContent-Length: 5\r\n\r\n'],
      ],
    ],
    refused: [
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['<', connect],
          ['>', 'HTTP/1.1 407 Proxy Authentication Required\r\n'],
        ],
      ],
      [
        'ERR_STARTTLS_REFUSED',
        [
          ['<', connect],
          ['>', 'HTTP/1.1 101 Switching Protocols\r\n'],
        ],
      ],
      [
        'ERR_STARTTLS_PROTOCOL',
        [
          ['<', connect],
          ['>', 'HTTP/2 200\r\n'],
        ],
      ],
      [
        'ERR_STARTTLS_PROTOCOL',
        [
          ['<', connect],
          ['>', 'HTTP/1.1 2000\r\n'],
        ],
      ],
    ],
    endless: [
      [
        'ERR_STARTTLS_LIMIT',
        [
          ['<', connect],
          ['>', line],
        ],
      ],
      [
        'ERR_STARTTLS_LIMIT',
        [
          ['<', connect],
          ['>', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(200)}`],
        ],
      ],
    ],
  },
}

/** How bytes of the server reach the client: all at once unless told, each part in a turn of the event loop of its own. */
export type Deliver = (bytes: Buffer) => readonly Buffer[]

/** The client's end of a connection to a server that follows a script. */
export class ScriptedStream extends Duplex {
  readonly written: Buffer[] = []
  /** Set where the client sent something else than the script says. */
  unexpected: string | undefined
  readonly #script: Step[]
  readonly #deliver: Deliver
  readonly #endAfter: boolean
  #heard: Buffer = Buffer.alloc(0)

  constructor(
    script: Script,
    {
      deliver = (bytes: Buffer) => [bytes],
      endAfter = false,
    }: { readonly deliver?: Deliver; readonly endAfter?: boolean } = {},
  ) {
    super({ allowHalfOpen: true })
    this.#script = [...script]
    this.#deliver = deliver
    this.#endAfter = endAfter
    void this.#play()
  }

  override _read(): void {
    // Bytes come when the script says so.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk)
    this.#heard = Buffer.concat([this.#heard, chunk])
    void this.#play()
    done()
  }

  #playing = false

  async #play(): Promise<void> {
    if (this.#playing) return
    this.#playing = true
    for (let step = this.#script[0]; step !== undefined; step = this.#script[0]) {
      const bytes = typeof step[1] === 'string' ? Buffer.from(step[1], 'latin1') : step[1]
      if (step[0] === '<') {
        if (this.#heard.length < bytes.length) break
        if (!this.#heard.subarray(0, bytes.length).equals(bytes)) this.unexpected ??= this.#heard.toString('latin1')
        this.#heard = this.#heard.subarray(bytes.length)
      } else {
        for (const [index, part] of this.#deliver(bytes).entries()) {
          if (index > 0) await new Promise((resolve) => setImmediate(resolve))
          if (part.length > 0 && !this.destroyed) this.push(part)
        }
      }
      this.#script.shift()
    }
    this.#playing = false
    if (this.#script.length === 0 && this.#endAfter && !this.destroyed) this.push(null)
  }
}
