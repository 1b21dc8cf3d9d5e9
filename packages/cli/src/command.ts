import { parseArgs } from 'node:util'
import type { ConnectOptions, VerifyOptions } from '@x/socket'
import { checkServer } from './check.ts'
import { demonstrate } from './demo.ts'
import { usageError } from './errors.ts'
import { protocols } from './protocols.ts'
import { formatReport } from './report.ts'

/** Where a command writes to. */
export interface Output {
  readonly print: (text: string) => void
  readonly printError: (text: string) => void
  /** Colours only on a terminal, and not where NO_COLOR is set. */
  readonly colours: boolean
}

const usage = `usage: x-tls check host[:port] [options]
       x-tls demo

  --name NAME        the name that the certificate must have (default: host)
  --scheme SCHEME    by which rules names are compared: default, http, smtp, rfc9525 … (default: default)
  --ca-file FILE     trust the certificates in FILE instead of this machine's CAs
  --pin FINGERPRINT  accept the certificate with this fingerprint, whatever else is wrong with it; may be repeated
  --starttls WORD    start TLS by this protocol's dialogue: ftp, imap, irc, ldap, lmtp, mysql, nntp, pop3, postgres, sieve, smtp, xmpp
  --timeout MS       milliseconds for connecting and for the handshake (default: 10000)
  --json             the report for machines

Exit status: 0 verified, 1 not verified, 2 the command line is wrong.`

const options = {
  name: { type: 'string' },
  scheme: { type: 'string' },
  'ca-file': { type: 'string' },
  pin: { type: 'string', multiple: true },
  starttls: { type: 'string' },
  timeout: { type: 'string', default: '10000' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

type Values = ReturnType<typeof readArguments>['values']

function readArguments(args: readonly string[]) {
  return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
}

/** Runs one command line and returns the exit status. */
export async function runCommand(args: readonly string[], output: Output): Promise<number> {
  try {
    const { values, positionals } = readArguments(args)
    if (values.help) {
      output.print(usage)
      return 0
    }
    const [command, target, ...rest] = positionals
    if (command === 'demo' && target === undefined) return await demonstrate(output)
    if (command !== 'check' || target === undefined || rest.length > 0)
      throw usageError(command === undefined ? 'a command is needed' : `'${positionals.join(' ')}' is no command`)
    const report = await checkServer(connectOptions(target, values))
    output.print(values.json ? JSON.stringify(report, undefined, 2) : formatReport(report, output.colours))
    return report.verified ? 0 : 1
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    output.printError(`x-tls: ${error.message}\n\n${usage}`)
    return 2
  }
}

function connectOptions(target: string, values: Values): ConnectOptions {
  const protocol = values.starttls === undefined ? undefined : protocols.get(values.starttls)
  if (values.starttls !== undefined && protocol === undefined)
    throw usageError(`--starttls takes ${[...protocols.keys()].join(', ')}, not '${values.starttls}'`)
  const { host, port } = parseTarget(target, protocol?.port)
  const verify: VerifyOptions = {
    ...(values.name === undefined ? {} : { name: values.name }),
    ...(values.scheme === undefined ? {} : { scheme: values.scheme as NonNullable<VerifyOptions['scheme']> }),
    ...(values.pin === undefined ? {} : { fingerprints: values.pin }),
  }
  const timeout = Number(values.timeout)
  if (!Number.isInteger(timeout) || timeout < 1) throw usageError('--timeout must be a whole number of milliseconds')
  return {
    host,
    port,
    verify,
    handshakeTimeout: timeout,
    signal: AbortSignal.timeout(timeout),
    ...(protocol === undefined ? {} : { starttls: protocol.start }),
    ...(values['ca-file'] === undefined ? {} : { caFile: values['ca-file'] }),
  }
}

/** `host`, `host:port`, `[v6]`, `[v6]:port`, or a bare IPv6 address; where no port is given, 443 or the protocol's own. */
export function parseTarget(target: string, defaultPort = 443): { readonly host: string; readonly port: number } {
  const match =
    /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s/]+))(?::([0-9]{1,5}))?$/.exec(target) ??
    /^()([0-9a-fA-F:.]*:[0-9a-fA-F:.]*)()$/.exec(target)
  const host = match?.[1] || match?.[2]
  const port = Number(match?.[3] || defaultPort)
  if (host === undefined || port > 65535) throw usageError(`'${target}' is not host[:port]`)
  return { host, port }
}
