#!/usr/bin/env bash
# Walks the whole story with curl: a user, an upload, the wait, the MP3, what each main mistake gets, and the user's end.
#
#   examples/story.sh [recording.wav [result.mp3]]
#
# BASE_URL says where Wavemill answers (default http://127.0.0.1:8080). Ends with 1 at the first answer that is not the expected one.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
base=${BASE_URL:-http://127.0.0.1:8080}
recording=${1:-$here/tone.wav}
result=${2:-$(basename "${recording%.*}").mp3}
nobody=00000000-0000-4000-8000-000000000000

answer=$(mktemp -d)
trap 'rm -rf "$answer"' EXIT

# ask <expected status> <what is asked> <curl arguments...>: asks, and stops where the answer has another status.
ask() {
  local expected=$1 what=$2 status
  shift 2
  status=$(curl --silent --show-error --output "$answer/body" --dump-header "$answer/head" \
    --write-out '%{http_code}' "$@")
  printf '%s  %s\n' "$status" "$what"
  if [ "$status" != "$expected" ]; then
    printf 'Expected %s, but the answer was:\n' "$expected" >&2
    cat "$answer/head" "$answer/body" >&2
    exit 1
  fi
}

# field <name>: a string of the last answer's JSON.
field() {
  sed -n 's/.*"'"$1"'" *: *"\([^"]*\)".*/\1/p' "$answer/body"
}

# refused <status> <code> <what> <curl arguments...>: asks for what must be refused, with this code in the problem details.
refused() {
  local status=$1 code=$2 what=$3
  shift 3
  ask "$status" "$what" "$@"
  grep -qi '^content-type: application/problem+json' "$answer/head" || { echo 'It is no problem document.' >&2; exit 1; }
  [ "$(field code)" = "$code" ] || { echo "Its code is $(field code), not $code." >&2; exit 1; }
}

echo 'The story'
ask 200 'the service is ready' "$base/health/ready"

name="Ada $(date +%s)-$$"
ask 201 'a user is created, and the token shown this once' \
  --header 'content-type: application/json' --data "{\"name\": \"$name\"}" "$base/user"
user=$(field id) token=$(field token)

ask 202 'a recording is uploaded, and a link comes back' \
  --form "user=$user" --form "token=$token" --form 'title=A tone' --form "file=@$recording" "$base/record"
link=$(field url)

for _ in $(seq 60); do # each waits up to a minute
  status=$(curl --silent --show-error --header 'Prefer: wait=60' --output "$result" --write-out '%{http_code}' "$link")
  [ "$status" = 202 ] || break
done
printf '%s  the link gives the MP3, once it is ready\n' "$status"
[ "$status" = 200 ] || { cat "$result" >&2; exit 1; }

ask 200 'what became of the recording' "${link/record?/record/status?}"
ask 200 'the same as a stream of events, which ends once it is ready' "${link/record?/record/events?}"

bearer="authorization: Bearer $token"
ask 202 'a recording without a form: the body is the WAV, and the rest stands in the query' \
  --header "$bearer" --header 'content-type: audio/wav' --data-binary "@$recording" \
  "$base/record?user=$user&filename=tone.wav&expires=3600"
second=$(field url)
once=(--header "idempotency-key: $name" --header "$bearer" --header 'content-type: audio/wav' --data-binary "@$recording")
ask 202 'a recording with a key, in case the answer gets lost' "${once[@]}" "$base/record?user=$user"
third=$(field url)
ask 202 'sent again with the same key it gets the same answer, and there is one recording' "${once[@]}" "$base/record?user=$user"
[ "$(field url)" = "$third" ] || { echo 'It is another recording.' >&2; exit 1; }
ask 200 "the user's own recordings, the latest first" --header "$bearer" "$base/records?user=$user&limit=10"
ask 204 'a recording is deleted' --request DELETE --header "$bearer" "$second"

echo 'The mistakes'
refused 410 gone 'the link of a recording that was deleted' "$second"
tone=$here/tone.wav
refused 400 bad-name 'a name of spaces' \
  --header 'content-type: application/json' --data '{"name": "   "}' "$base/user"
refused 409 name-taken 'a name that somebody has' \
  --header 'content-type: application/json' --data "{\"name\": \"$name\"}" "$base/user"
refused 400 missing-field 'no token' --form "user=$user" --form "file=@$tone" "$base/record"
refused 401 unauthorized 'a wrong token' \
  --form "user=$user" --form "token=$nobody" --form "file=@$tone" "$base/record"
refused 415 not-wav 'a script called a WAV' \
  --form "user=$user" --form "token=$token" --form "file=@$0;filename=song.wav" "$base/record"
refused 422 no-audio 'a WAV with no audio in it' \
  --form "user=$user" --form "token=$token" --form "file=@$here/no-audio.wav" "$base/record"
refused 422 key-reused 'the same key with other options' "${once[@]}" "$base/record?user=$user&quality=5"
refused 404 unknown-record 'a record that nobody uploaded' "$base/record?id=$nobody&user=$user"
refused 405 method-not-allowed 'a method that the address does not have' --request PUT "$base/user"
refused 404 not-found 'an address that does not exist' "$base/nowhere"

echo 'The end'
ask 200 'a new token' --request POST --header "$bearer" "$base/user/token?user=$user"
renewed=$(field token)
refused 401 unauthorized 'the old token' --header "$bearer" "$base/records?user=$user"
ask 204 'the user goes, with all that is theirs' --request DELETE --header "authorization: Bearer $renewed" "$base/user?user=$user"
refused 404 unknown-record 'a link of that user' "$link"

printf 'All as expected. The MP3 is %s\n' "$result"
