#!/usr/bin/env bash
# nightly.sh
run=(npx fanfold run look-up --tasks src/rate-limited.ts --input ids.txt --output "ids-$(date +%F).jsonl"
  --deadline 6h --max-failures 1% --quiet)
"${run[@]}"
status=$?
for _ in 1 2 3; do
  [ $status -eq 3 ] || break
  sleep 60
  "${run[@]}" --resume
  status=$?
done
exit $status
