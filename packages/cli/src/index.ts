export { checkServer } from './check.ts'
export { type Output, runCommand } from './command.ts'
export { type CertificateReport, type CheckReport, formatReport, type Report } from './report.ts'
