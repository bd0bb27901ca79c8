# Stage 2 (RL) in OpenRLHF, for a base of real size. The scripts of the models source it and add what is
# theirs; it starts from what `stage.sh sft` and `stage.sh rl-data` made. Of an option that is given twice the
# last one counts.
recipes=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${OUT:-$PWD/out/spct/$model}
export GRM_CONFIG="${GRM_CONFIG:-$recipes/spct/$model/judge.yaml}" # its template and contract count

# 128 groups of 4: 512 judgments a step, as in the paper, and one update of them
paper=(
  --rollout.batch_size 128
  --rollout.n_samples_per_prompt 4
  --train.batch_size 512
  --actor.adam.lr 4e-7
  --actor.lr_scheduler constant_with_warmup
  --algo.advantage.estimator group_norm
  --algo.kl.use_loss
  --algo.kl.estimator k3
  --actor.loss_agg_mode seq-mean-token-mean
  --rollout.temperature 1.0
  --rollout.top_p 1.0
)

# Rows of `grm train rl-data`; whole batches, as a rest could not be spread. 900 steps need 115,200 prompts:
# more episodes where there are fewer.
prompts=(
  --data.prompt_dataset "$out/rl.jsonl"
  --data.input_key prompt
  --data.label_key target
  --data.apply_chat_template
  --data.max_samples 28800
  --train.num_episodes 4
  --data.max_len 8192
  --rollout.max_new_tokens 1024
)

memory=(
  --train.colocate_all
  --vllm.enable_sleep
  --ds.enable_sleep
  --ds.zero_stage 3
  --actor.gradient_checkpointing_enable
  --train.micro_batch_size 1
  --rollout.micro_batch_size 4
)

results=(
  --ckpt.output_dir "$out/rl_openrlhf"
  --ckpt.path "$out/rl_openrlhf/checkpoints"
  --ckpt.save_steps 50
  --ckpt.max_num 2
  --logger.tensorboard_dir "$out/rl_openrlhf/metrics"
)

rl() {
  exec python -m openrlhf.cli.train_ppo_ray \
    --train.agent_func_path "$recipes/../adapters/grm_openrlhf/outcome_agent.py" \
    --actor.model_name_or_path "$out/rft" "${paper[@]}" "${prompts[@]}" "${memory[@]}" "${results[@]}" "$@"
}
