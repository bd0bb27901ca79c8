# The stages of SPCT for a base of real size, in this order. The scripts of the models source it after they
# said what is theirs: $model, the folder of the recipe, and ${spread[...]}, the accelerate configuration of
# each stage that trains. Every stage is one command; after a kill the same one goes on.
stages="sample reject sft rl-data grpo resample meta-data meta scale"

rm_data=${RM_DATA:-rm.jsonl}        # labelled groups: see `grm train data`
held_out=${HELD_OUT:-heldout.jsonl} # others, which no stage before `scale` reads
general=${GENERAL:-}                # general instruction data, 85 % of the rows as in the paper; `sft` needs it
out=${OUT:-out/spct/$model}
lora=${LORA:+_lora} # LORA=1 trains adapters, and merges each into its base
recipes=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
here="$recipes/spct/$model"
rft="$out/rft$lora${lora:+_merged}"
rl="$out/rl$lora${lora:+_merged}"
judge=(--config "$here/judge.yaml" --set "engine.serve.model=$rl")

on_gpus() { # $1 names the stage; ACCELERATE is for the rank of a node and the address of the first
  accelerate launch --config_file "$recipes/accelerate_configs/${spread[$1]}.yaml" ${ACCELERATE:-} "${@:2}"
}

merge() {
  if [ -n "$lora" ]; then python "$recipes/spct/merge_adapter.py" "$1" "${1}_merged"; fi
}

stage() {
  case $1 in
    sample) grm train sample "$rm_data" -n 3 --config "$recipes/spct/sampler.yaml" --out "$out/trajectories" "${@:2}" ;;
    reject) grm train reject "$out/trajectories" --easy "$out/easy.jsonl" --out "$out/sft.jsonl" "${@:2}" ;;
    sft)
      on_gpus "sft$lora" "$recipes/spct/sft.py" --config "$here/sft$lora.yaml" --data "$out/sft.jsonl" \
        ${general:+--general "$general"} --output_dir "$out/rft$lora" "${@:2}"
      merge "$out/rft$lora"
      ;;
    rl-data) grm train rl-data "$rm_data" --template grm --easy "$out/easy.jsonl" \
      --trajectories "$out/trajectories" --out "$out/rl.jsonl" "${@:2}" ;;
    grpo)
      on_gpus "grpo$lora" "$recipes/spct/grpo.py" --config "$here/grpo$lora.yaml" --data "$out/rl.jsonl" \
        --model_name_or_path "$rft" --output_dir "$out/rl$lora" "${@:2}"
      merge "$out/rl$lora"
      ;;
    resample) grm train sample "$rm_data" -n 3 --no-hinted "${judge[@]}" --out "$out/again" "${@:2}" ;;
    meta-data) grm train meta-data "$out/trajectories" "$out/again" --out "$out/meta.jsonl" "${@:2}" ;;
    meta)
      on_gpus meta "$(command -v grm)" train meta "$out/meta.jsonl" --base "$rl" --out "$out/meta" \
        --dtype bfloat16 --gradient-checkpointing --device-batch 1 "${@:2}"
      ;;
    scale) grm scale "$held_out" "${judge[@]}" --out "$out/scale" "${@:2}" ;;
    *)
      echo "stage ${1:-(none)}: expected one of $stages" >&2
      return 2
      ;;
  esac
}
