# What the scripts of this folder share: the policy, its prompts, and where results go. They source
# it and add what makes them different. Of an option that is given twice the last one counts.
recipes=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out="$PWD/out/Qwen3-8B-openrlhf/$(basename "$0" .sh)"

policy=(
  --actor.model_name_or_path Qwen/Qwen3-8B
  --actor.adam.lr 1e-6
  --actor.lr_scheduler constant_with_warmup
  --actor.gradient_checkpointing_enable
  --ds.zero_stage 3
  --ds.packing_samples # needs flash-attn
)

# Qwen3's chat format with thinking off, which --data.apply_chat_template can not say. Without
# --data.label_key the judge gets the bare prompt.
prompts=(
  --data.prompt_dataset HuggingFaceH4/ultrafeedback_binarized
  --data.prompt_split train_prefs
  --data.input_key prompt
  --data.input_template $'<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n'
  --data.max_samples 9600 # whole rollout batches: a rest could not be spread over the GPUs
  --data.max_len 3072
)

results=(
  --ckpt.output_dir "$out"
  --ckpt.path "$out/checkpoints"
  --ckpt.save_steps 25
  --logger.tensorboard_dir "$out/metrics"
)

# Six GPUs take turns: they roll out and are judged, then they train. 96 prompts, 768 responses a
# step; two updates of 384.
six_gpus=(
  --train.colocate_all
  --actor.num_gpus_per_node 6
  --ref.num_gpus_per_node 6
  --vllm.num_engines 6
  --vllm.gpu_memory_utilization 0.6
  --vllm.enable_sleep
  --ds.enable_sleep
  --rollout.batch_size 96
  --rollout.n_samples_per_prompt 8
  --rollout.max_new_tokens 1024
  --rollout.micro_batch_size 8
  --train.batch_size 384
  --train.micro_batch_size 4
)

train() {
  exec python -m grm_openrlhf.train_ppo_ray --reward_model grm_plugin \
    "${policy[@]}" "${prompts[@]}" "${results[@]}" "$@"
}
