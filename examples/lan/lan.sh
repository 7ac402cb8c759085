#!/bin/sh
# Three machines on one: each command below can also run on a separate machine.
set -eu
cd "$(dirname "$0")"
# As npx does, which does not pass signals on to background commands.
export PATH="$PWD/node_modules/.bin:$PATH"
port=${PORT:-9324}
join="${XDG_CONFIG_HOME:-$HOME/.config}/fanfold/join-$port"
trap 'kill $server $worker 2> /dev/null; wait' EXIT
server='' worker=''

# The first machine. 0.0.0.0 means all of its networks, so the server uses TLS.
fanfold serve --host 0.0.0.0 --port "$port" --memory &
server=$!
until [ -s "$join" ]; do
  kill -0 $server
  sleep 0.1
done

# The second machine. In a shell of your own, paste the line that the server printed.
FANFOLD_JOIN=$(cat "$join")
export FANFOLD_JOIN
fanfold work --workers 1 &
worker=$!

# The third machine.
fanfold run primes --range 20 --ordered
