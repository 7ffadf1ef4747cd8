#!/usr/bin/env bash
# usage: fuzz/seeds.sh    Fills fuzz/corpus with seeds: fixtures/, fuzz/kept/ and a few lines of text.
set -euo pipefail
cd "$(dirname "$0")/.."
corpus=fuzz/corpus

seed() { # TARGET FILE…
  mkdir -p "$corpus/$1"
  local target=$1 file
  shift
  for file in "$@"; do
    [ -f "$file" ] && cp "$file" "$corpus/$target/$(tr / _ <<<"$file")"
  done
}
text() { # TARGET TEXT
  mkdir -p "$corpus/$1"
  printf '%b' "$2" >"$corpus/$1/text-$(cksum <<<"$2" | cut -d' ' -f1)"
}

good=fixtures/format/v1 bad=fixtures/malformed
seed tree $good/tree/*.node $bad/tree/*
seed commit $good/commit/* $bad/commit/*
seed json $good/json/* $bad/json/* $good/commit/*
seed pack $good/pack/*.pack $bad/pack/*
seed block $good/pack/*.zst
seed chunk $good/chunk/* $bad/chunk/*
seed journal $good/journal/*.json $bad/journal/{entry,file}*
seed tile $good/journal/{bundle,hashes}* $bad/journal/{bundle,frame,hashes}*
seed stage $good/stage/stage.json $bad/stage/*
seed stamps $good/stage/stamps
seed commit_graph $good/commit-graph/* $bad/commit-graph/*
seed lineage_index $good/lineage-index/* $bad/lineage-index/*
seed runs_index $good/runs-index/* $bad/runs-index/*
seed local $good/{bisect,run-state,lease}/* $bad/lease/*
seed attachments $good/{series,trace}/* $bad/series/*
seed profile $good/profile/* $bad/profile/*
seed overlaps $good/overlaps/* $bad/overlaps/*
seed settings fixtures/demo/project/provenance.toml
text config '[user]\nname = "Ada"\nemail = "a@b"\n[gc]\ngrace-days = "3"\n'
text tensor '\x40\0\0\0\0\0\0\0{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}          01234567'
for table in 'id,name\n1,"Ada\n"\n2,b\n' '\xef\xbb\xbfid;x\r\n1;"a""b"\r\n\r\n2;"' 'a\tb\n1\n1\t2\t3\n' \
  '{"id":1,"x":{"b":[1.0,"\\u00e9"]}}\n{"id":2}\n[3]\n' 'id,id,\n3,\x01,\xe9\n'; do
  text table "$table"
done
for rules in '*.tmp\n!keep.tmp\n/a/\n**/x.csv\n' 'a/**/b\n[a-c]?\\ \n#c\n' '*' 'a/[1].tmp\n\\!x'; do
  text ignore "$rules"
done
for revision in main HEAD~2^2 '@{1}' 'main@{yesterday}' 'main@{2 days ago}' a..b a...b ^old \
  main:data/x.csv 'abcdef12^{tree}' 2026-01-31T10:00:00+01:00 @1700000000 '3 weeks ago' 'HEAD^{}'; do
  text revision "$revision"
done
for kept in fuzz/kept/*/*; do
  seed "$(basename "$(dirname "$kept")")" "$kept"
done
