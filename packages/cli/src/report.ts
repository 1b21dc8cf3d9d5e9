import { stripVTControlCharacters, styleText } from 'node:util'

export interface CertificateReport {
  readonly subject: string
  readonly issuer: string
  readonly notBefore: string
  readonly notAfter: string
  readonly names: readonly string[]
  readonly fingerprint: string
}

export interface CheckReport {
  readonly check: string
  readonly result: 'passed' | 'waived' | 'refused'
  readonly detail: Readonly<Record<string, unknown>>
  readonly failures: readonly { readonly code: string; readonly depth: number; readonly message: string }[]
}

/** What `x-tls check --json` prints. */
export interface Report {
  readonly host: string
  readonly port: number
  readonly verified: boolean
  readonly protocol?: string
  readonly cipher?: string
  readonly alpn?: string | undefined
  readonly resumed?: boolean
  /** As the server sent it, leaf first. */
  readonly chain: readonly CertificateReport[]
  readonly checks: readonly CheckReport[]
  readonly error?: { readonly code: string; readonly message: string; readonly phase?: string; readonly hint?: string }
}

type Style = Parameters<typeof styleText>[0]

/** The report for people. Text from the server is stripped of control characters, which could write over the verdict. */
export function formatReport(report: Report, colours: boolean): string {
  const paint = (style: Style, text: string): string =>
    colours ? styleText(style, text, { validateStream: false }) : text
  const line = (label: string, text: string): string => `  ${label.padEnd(12)} ${printable(text)}`
  const verdict = report.verified ? paint('green', 'verified') : paint('red', 'not verified')
  const lines = [`${printable(report.host)}:${report.port} ${verdict}`]
  if (report.protocol !== undefined)
    lines.push(
      line(
        'protocol',
        `${report.protocol}, ${report.cipher}${report.alpn === undefined ? '' : `, ALPN ${report.alpn}`}${report.resumed ? ', resumed' : ''}`,
      ),
    )
  for (const [depth, certificate] of report.chain.entries()) {
    lines.push(line(depth === 0 ? 'certificate' : `issuer ${depth}`, certificate.subject || '(no subject)'))
    lines.push(line('', `valid ${certificate.notBefore.slice(0, 10)} to ${certificate.notAfter.slice(0, 10)}`))
    if (depth === 0) {
      lines.push(line('', `names ${certificate.names.length === 0 ? '(none)' : listed(certificate.names)}`))
      lines.push(line('', certificate.fingerprint))
    }
  }
  for (const check of report.checks) {
    const mark = {
      passed: paint('green', 'passed'),
      waived: paint('yellow', 'waived'),
      refused: paint('red', 'REFUSED'),
    }[check.result]
    lines.push(`  ${check.check.padEnd(12)} ${mark} ${printable(explain(check))}`)
    for (const failure of check.failures)
      lines.push(line('', `${failure.code} at depth ${failure.depth}: ${failure.message}`))
  }
  if (report.error !== undefined) {
    if (report.checks.length === 0)
      lines.push(line(report.error.phase ?? 'error', `${report.error.message} (${report.error.code})`))
    if (report.error.hint !== undefined) lines.push(line('hint', report.error.hint))
  }
  return lines.join('\n')
}

const MAX_LISTED = 8

function listed(names: readonly string[]): string {
  const rest = names.length - MAX_LISTED
  return `${names.slice(0, MAX_LISTED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

function explain({ check, result, detail }: CheckReport): string {
  if (result === 'refused') return ''
  if (result === 'waived')
    return detail['by'] === 'option' ? `by option ${String(detail['option'])}` : `by ${String(detail['by'])}`
  switch (check) {
    case 'chain':
      return `${String(detail['length'])} certificates up to a CA from ${String(detail['anchor'])}${detail['proven'] === 'earlier' ? ', proven when the session was made' : ''}`
    case 'name':
      return `'${String(detail['host'])}' matches '${String(detail['entry'])}' by the rules of '${String(detail['scheme'])}'`
    case 'fingerprint':
      return String(detail['matched'])
    default:
      return Object.entries(detail)
        .map(([key, value]) => `${key} ${String(value)}`)
        .join(', ')
  }
}

/** Text from the network as one line without control characters. */
function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�')
}
