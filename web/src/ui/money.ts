/** Dollars: cents as everybody writes them, and below a cent what would else be nothing. */
export function dollars(value: number, language: string): string {
  const tiny = value !== 0 && Math.abs(value) < 0.01
  const digits = tiny ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 }
  return `$${new Intl.NumberFormat(language, digits).format(value)}`
}
