/** The stream of events: what the server shows once a second, and at every change of its phase. */

/**
 * @param {{
 *   onEvent: (status: any) => void,
 *   onLast: (status: any) => void,
 *   onLost: (comesBack: boolean) => void,
 * }} listener `onLast` comes at most once: the server has stopped
 */
export function openStream({ onEvent, onLast, onLost }) {
  const source = new EventSource("/events");
  source.addEventListener("message", ({ data }) => onEvent(JSON.parse(data)));
  source.addEventListener("last", ({ data }) => {
    // It would come back by itself, to a port where nothing listens.
    source.close();
    onLast(JSON.parse(data));
  });
  // A browser comes back by itself after a lost connection, and not after an answer that is no stream.
  source.addEventListener("error", () => onLost(source.readyState !== EventSource.CLOSED));
  return source;
}
