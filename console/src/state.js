// What is remembered: the place in the page, the theme, and what the server last said.
import { useEffect, useRef, useState } from 'preact/hooks'
import { read } from './net.js'

export function useKept(name, otherwise) {
  const [value, set] = useState(() => {
    try {
      return JSON.parse(localStorage.getItem(`bareboat.${name}`)) ?? otherwise
    } catch {
      return otherwise
    }
  })
  const keep = (next) => {
    set(next)
    try {
      localStorage.setItem(`bareboat.${name}`, JSON.stringify(next))
    } catch {
      // a browser that keeps nothing shows the same page
    }
  }
  return [value, keep]
}

const place = () => {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?')
  return { parts: path.split('/').filter(Boolean).map(decodeURIComponent), asked: Object.fromEntries(new URLSearchParams(query)) }
}

export function usePlace() {
  const [at, go] = useState(place)
  useEffect(() => {
    const moved = () => go(place())
    addEventListener('hashchange', moved)
    return () => removeEventListener('hashchange', moved)
  }, [])
  return at
}

export const href = (...parts) => `#/${parts.map(encodeURIComponent).join('/')}`

const EVERY_MS = 1000

// Asks once a second while the page can be seen; unchanged answers cost a tag.
export function useLive(seconds) {
  const [live, setLive] = useState(null)
  const [lost, setLost] = useState(false)
  useEffect(() => {
    let timer
    let ended = false
    let tag = ''
    const turn = async () => {
      clearTimeout(timer)
      if (document.visibilityState === 'visible') {
        try {
          const got = await read('live', { seconds }, tag)
          if (ended) return
          tag = got.tag
          if (got.found) setLive(got.found)
          setLost(false)
        } catch {
          if (ended) return
          tag = ''
          setLost(true)
        }
      }
      timer = setTimeout(turn, EVERY_MS)
    }
    turn()
    document.addEventListener('visibilitychange', turn)
    return () => {
      ended = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', turn)
    }
  }, [seconds])
  return { live, lost }
}

export function useService(generation) {
  const [service, setService] = useState(null)
  const [error, setError] = useState(null)
  const [again, setAgain] = useState(0)
  useEffect(() => {
    let ended = false
    let timer
    read('service')
      .then((found) => {
        if (!ended) {
          setService(found)
          setError(null)
        }
      })
      .catch((refused) => {
        if (ended) return
        setError(refused)
        timer = setTimeout(() => setAgain((n) => n + 1), 2000)
      })
    return () => {
      ended = true
      clearTimeout(timer)
    }
  }, [generation, again])
  return { service, error }
}

export function useWidth() {
  const element = useRef(null)
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)))
    watch.observe(element.current)
    return () => watch.disconnect()
  }, [])
  return [element, width]
}
