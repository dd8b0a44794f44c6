/** What a log row says about its price, such as `倍率：1.50 × 1.00 × 2.00，缓存 0.50`. */
export interface Price {
  model: number
  group: number
  /** Absent where calls are paid by the piece. */
  completion?: number
  /** Kinds of tokens with ratios of their own, in the gateway's words. */
  kinds: { name: string; ratio: number }[]
}

const PRICE = /倍率：(\d+(?:\.\d+)?) × (\d+(?:\.\d+)?)(?: × (\d+(?:\.\d+)?))?((?:，\S+ \d+(?:\.\d+)?)*)/u
const KIND = /，(\S+) (\d+(?:\.\d+)?)/gu

export function parsePrice(content: string): Price | null {
  const found = PRICE.exec(content)
  if (!found) return null
  const [, model, group, completion, kinds] = found as unknown as [string, string, string, string | undefined, string]
  return {
    model: Number(model),
    group: Number(group),
    completion: completion === undefined ? undefined : Number(completion),
    kinds: [...kinds.matchAll(KIND)].map(([, name = '', ratio]) => ({ name, ratio: Number(ratio) })),
  }
}
