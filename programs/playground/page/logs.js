/** Where the log of what the bot did can be looked at: `uv run python -m programs.logs serve`. */

export const LOGS = "http://127.0.0.1:8701/";

// LLMgine's nonces: the turn's id, then attempt, kind, round and part.
const NONCE = /^([0-9a-f]{16})\d+[a-z]\d+\.\d+$/;

/** The address of the turn that a message is part of; null for other bots' messages and for people's. */
export function traceAddress(message) {
  const turn = NONCE.exec(message.nonce ?? "")?.[1];
  return turn && message.author.bot ? `${LOGS}#turn=${turn}` : null;
}
