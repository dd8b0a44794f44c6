import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'

import { SELF } from '../../app/query'
import type { Protocol, Question, Turn, Usage } from './protocols'
import { ask, type Exchange } from './stream'

export interface Answer {
  text: string
  thought: string
  error: string
  stopped: boolean
  running: boolean
  /** Milliseconds until the first text and until the end; 0 while that is not known. */
  first: number
  whole: number
  usage?: Partial<Usage>
  exchange?: Exchange
}

export interface Round {
  id: number
  asked: Turn
  answer: Answer
}

const begun: Answer = { text: '', thought: '', error: '', stopped: false, running: true, first: 0, whole: 0 }

type Settings = Omit<Question, 'turns'> & { key: string; protocol: Protocol }

/** One answer at a time; leaving the page ends it, and with it the upstream call. */
export function useConversation() {
  const [rounds, setRounds] = useState<Round[]>([])
  const client = useQueryClient()
  const current = useRef<AbortController>(null)
  useEffect(() => () => current.current?.abort(), [])

  const send = async (asked: Turn, { key, protocol, ...settings }: Settings) => {
    const controller = new AbortController()
    current.current?.abort()
    current.current = controller
    const id = Date.now()
    const change = (to: (was: Answer) => Answer) =>
      setRounds((all) => all.map((round) => (round.id === id ? { ...round, answer: to(round.answer) } : round)))
    const turns = [...rounds.flatMap(said), asked]
    setRounds((all) => [...all, { id, asked, answer: begun }])
    const start = performance.now()
    const since = () => Math.max(1, Math.round(performance.now() - start))
    try {
      const answer = ask({
        protocol,
        key,
        question: { ...settings, turns },
        signal: controller.signal,
        seen: (exchange) => change((was) => ({ ...was, exchange })),
      })
      for await (const { text = '', thought = '', usage } of answer)
        change((was) => ({
          ...was,
          text: was.text + text,
          thought: was.thought + thought,
          first: was.first || (text || thought ? since() : 0),
          usage: usage ? merged(was.usage, usage) : was.usage,
        }))
    } catch (error) {
      const stopped = controller.signal.aborted
      change((was) => ({ ...was, stopped, error: stopped ? '' : (error as Error).message }))
    } finally {
      change((was) => ({ ...was, running: false, whole: since() }))
      void client.invalidateQueries({ queryKey: SELF }) // it has less quota now
    }
  }

  return {
    rounds,
    running: rounds.at(-1)?.answer.running ?? false,
    send,
    stop: () => current.current?.abort(),
    clear: () => {
      current.current?.abort()
      setRounds([])
    },
    /** Takes the last question back, to be asked again or in other words. */
    takeBack: () => {
      current.current?.abort()
      setRounds((all) => all.slice(0, -1))
    },
  }
}

/** What a round adds to the next question; a refused one adds nothing. */
function said({ asked, answer }: Round): Turn[] {
  return answer.text ? [asked, { role: 'assistant', text: answer.text, images: [] }] : []
}

/** Numbers come at different times, in some protocols; one that is not there leaves what was. */
const merged = (was: Partial<Usage> | undefined, { input = was?.input, output = was?.output }: Partial<Usage>) => ({ input, output })
