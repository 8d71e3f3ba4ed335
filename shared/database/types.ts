// Written by "npm run types" from the migrated database. Do not edit.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  public: {
    Tables: {
      account_learning: {
        Row: {
          account_id: number;
          data_version: number;
          finished_posts: number;
          learned_at: string | null;
          learned_version: number;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          data_version?: number;
          finished_posts?: number;
          learned_at?: string | null;
          learned_version?: number;
        };
        Update: {
          account_id?: number;
          data_version?: number;
          finished_posts?: number;
          learned_at?: string | null;
          learned_version?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'account_learning_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: true;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'account_learning_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: true;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      collection_attempts: {
        Row: {
          account_id: number;
          attempted_at: string;
          evidence: Json | null;
          id: number;
          outcome: string;
          phase: string | null;
          post_id: string | null;
          run_id: string;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          attempted_at: string;
          evidence?: Json | null;
          id?: never;
          outcome: string;
          phase?: string | null;
          post_id?: string | null;
          run_id: string;
        };
        Update: {
          account_id?: number;
          attempted_at?: string;
          evidence?: Json | null;
          id?: never;
          outcome?: string;
          phase?: string | null;
          post_id?: string | null;
          run_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'collection_attempts_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'collection_attempts_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'collection_attempts_outcome_fkey';
            columns: ['outcome'];
            isOneToOne: false;
            referencedRelation: 'read_outcomes';
            referencedColumns: ['outcome'];
          },
          {
            foreignKeyName: 'collection_attempts_phase_fkey';
            columns: ['phase'];
            isOneToOne: false;
            referencedRelation: 'collection_phases';
            referencedColumns: ['phase'];
          },
          {
            foreignKeyName: 'collection_attempts_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: false;
            referencedRelation: 'post_attribution';
            referencedColumns: ['post_id'];
          },
          {
            foreignKeyName: 'collection_attempts_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: false;
            referencedRelation: 'post_tracking';
            referencedColumns: ['post_id'];
          },
        ];
      };
      collection_phases: {
        Row: {
          age: string;
          phase: string;
          scheduled: boolean;
          tolerance: string;
        };
        ComputedFields: never;
        Insert: {
          age: string;
          phase: string;
          scheduled?: boolean;
          tolerance: string;
        };
        Update: {
          age?: string;
          phase?: string;
          scheduled?: boolean;
          tolerance?: string;
        };
        Relationships: [];
      };
      content_dimension_values: {
        Row: {
          account_id: number;
          created_at: string;
          dimension: string;
          label: string | null;
          retired_at: string | null;
          value: string;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          created_at?: string;
          dimension: string;
          label?: string | null;
          retired_at?: string | null;
          value: string;
        };
        Update: {
          account_id?: number;
          created_at?: string;
          dimension?: string;
          label?: string | null;
          retired_at?: string | null;
          value?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'content_dimension_values_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'content_dimension_values_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'content_dimension_values_dimension_fkey';
            columns: ['dimension'];
            isOneToOne: false;
            referencedRelation: 'content_dimensions';
            referencedColumns: ['dimension'];
          },
        ];
      };
      content_dimensions: {
        Row: {
          description: string;
          dimension: string;
          position: number;
        };
        ComputedFields: never;
        Insert: {
          description: string;
          dimension: string;
          position: number;
        };
        Update: {
          description?: string;
          dimension?: string;
          position?: number;
        };
        Relationships: [];
      };
      content_metadata: {
        Row: {
          account_id: number;
          angle: string | null;
          assigned: NonNullable<Json>;
          chosen: number | null;
          control_share: number | null;
          created_at: string;
          decision_id: string;
          format: string | null;
          generator: string | null;
          hook_pattern: string | null;
          kind: string;
          model_version: number | null;
          origin: string;
          policy: string | null;
          prompted: boolean | null;
          propensity: number | null;
          rng_seed: number | null;
          slate: Json | null;
          tone: string | null;
          topic: string | null;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          angle?: never;
          assigned?: NonNullable<Json>;
          chosen?: number | null;
          control_share?: number | null;
          created_at?: string;
          decision_id?: string;
          format?: never;
          generator?: never;
          hook_pattern?: never;
          kind?: string;
          model_version?: number | null;
          origin: string;
          policy?: string | null;
          prompted?: boolean | null;
          propensity?: number | null;
          rng_seed?: number | null;
          slate?: Json | null;
          tone?: never;
          topic?: never;
        };
        Update: {
          account_id?: number;
          angle?: never;
          assigned?: NonNullable<Json>;
          chosen?: number | null;
          control_share?: number | null;
          created_at?: string;
          decision_id?: string;
          format?: never;
          generator?: never;
          hook_pattern?: never;
          kind?: string;
          model_version?: number | null;
          origin?: string;
          policy?: string | null;
          prompted?: boolean | null;
          propensity?: number | null;
          rng_seed?: number | null;
          slate?: Json | null;
          tone?: never;
          topic?: never;
        };
        Relationships: [
          {
            foreignKeyName: 'content_metadata_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'content_metadata_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      dimension_performance: {
        Row: {
          account_id: number;
          computed_at: string;
          confidence: number;
          dimension: string;
          effect: number;
          effect_high_80: number;
          effect_high_90: number;
          effect_low_80: number;
          effect_low_90: number;
          effect_standard_error: number;
          effective_n: number;
          engagement_lift: number | null;
          engagement_lift_high_80: number | null;
          engagement_lift_low_80: number | null;
          followers_lift: number | null;
          followers_lift_high_80: number | null;
          followers_lift_low_80: number | null;
          last_posted_at: string;
          lift: number | null;
          lift_high_80: number | null;
          lift_low_80: number | null;
          marginal_mean: number;
          marginal_standard_error: number;
          mean_engagement_rate: number | null;
          mean_followers_gained: number | null;
          mean_impressions: number | null;
          mean_reward: number;
          prob_above_average: number;
          prob_best: number;
          reliability: number;
          total_engagements: number;
          total_followers_gained: number;
          total_impressions: number;
          uses: number;
          value: string;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          computed_at: string;
          confidence: number;
          dimension: string;
          effect: number;
          effect_high_80: number;
          effect_high_90: number;
          effect_low_80: number;
          effect_low_90: number;
          effect_standard_error: number;
          effective_n: number;
          engagement_lift?: number | null;
          engagement_lift_high_80?: number | null;
          engagement_lift_low_80?: number | null;
          followers_lift?: number | null;
          followers_lift_high_80?: number | null;
          followers_lift_low_80?: number | null;
          last_posted_at: string;
          lift?: number | null;
          lift_high_80?: number | null;
          lift_low_80?: number | null;
          marginal_mean: number;
          marginal_standard_error: number;
          mean_engagement_rate?: number | null;
          mean_followers_gained?: number | null;
          mean_impressions?: number | null;
          mean_reward: number;
          prob_above_average: number;
          prob_best: number;
          reliability: number;
          total_engagements: number;
          total_followers_gained: number;
          total_impressions: number;
          uses: number;
          value: string;
        };
        Update: {
          account_id?: number;
          computed_at?: string;
          confidence?: number;
          dimension?: string;
          effect?: number;
          effect_high_80?: number;
          effect_high_90?: number;
          effect_low_80?: number;
          effect_low_90?: number;
          effect_standard_error?: number;
          effective_n?: number;
          engagement_lift?: number | null;
          engagement_lift_high_80?: number | null;
          engagement_lift_low_80?: number | null;
          followers_lift?: number | null;
          followers_lift_high_80?: number | null;
          followers_lift_low_80?: number | null;
          last_posted_at?: string;
          lift?: number | null;
          lift_high_80?: number | null;
          lift_low_80?: number | null;
          marginal_mean?: number;
          marginal_standard_error?: number;
          mean_engagement_rate?: number | null;
          mean_followers_gained?: number | null;
          mean_impressions?: number | null;
          mean_reward?: number;
          prob_above_average?: number;
          prob_best?: number;
          reliability?: number;
          total_engagements?: number;
          total_followers_gained?: number;
          total_impressions?: number;
          uses?: number;
          value?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'dimension_performance_account_id_dimension_value_fkey';
            columns: ['account_id', 'dimension', 'value'];
            isOneToOne: true;
            referencedRelation: 'content_dimension_values';
            referencedColumns: ['account_id', 'dimension', 'value'];
          },
          {
            foreignKeyName: 'dimension_performance_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'dimension_performance_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      drift_alarms: {
        Row: {
          account_id: number;
          created_at: string;
          day: string;
          dimension: string | null;
          direction: string;
          since: string;
          statistic: number;
          threshold: number;
          value: string | null;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          created_at: string;
          day: string;
          dimension?: string | null;
          direction: string;
          since: string;
          statistic: number;
          threshold: number;
          value?: string | null;
        };
        Update: {
          account_id?: number;
          created_at?: string;
          day?: string;
          dimension?: string | null;
          direction?: string;
          since?: string;
          statistic?: number;
          threshold?: number;
          value?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'drift_alarms_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'drift_alarms_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      follower_block_rates: {
        Row: {
          account_id: number;
          block_start: string;
          dispersion: number;
          fitted_at: string;
          followers_per_impression: number;
          hours: number;
          lag_h: number;
          organic_per_hour: number;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          block_start: string;
          dispersion: number;
          fitted_at: string;
          followers_per_impression: number;
          hours: number;
          lag_h: number;
          organic_per_hour: number;
        };
        Update: {
          account_id?: number;
          block_start?: string;
          dispersion?: number;
          fitted_at?: string;
          followers_per_impression?: number;
          hours?: number;
          lag_h?: number;
          organic_per_hour?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'follower_block_rates_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'follower_block_rates_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      follower_collections: {
        Row: {
          account_id: number;
          attempts: number;
          lease_id: string | null;
          next_attempt_at: string;
          outcome: string | null;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          attempts?: number;
          lease_id?: string | null;
          next_attempt_at: string;
          outcome?: string | null;
        };
        Update: {
          account_id?: number;
          attempts?: number;
          lease_id?: string | null;
          next_attempt_at?: string;
          outcome?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'follower_collections_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: true;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'follower_collections_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: true;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'follower_collections_outcome_fkey';
            columns: ['outcome'];
            isOneToOne: false;
            referencedRelation: 'read_outcomes';
            referencedColumns: ['outcome'];
          },
        ];
      };
      follower_hour: {
        Row: {
          account_id: number;
          change: number;
          credited: number;
          explained: number;
          exposure: number;
          gap: boolean;
          hour: string;
          organic: number;
          unexplained: number;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          change: number;
          credited: number;
          explained: number;
          exposure: number;
          gap: boolean;
          hour: string;
          organic: number;
          unexplained: number;
        };
        Update: {
          account_id?: number;
          change?: number;
          credited?: number;
          explained?: number;
          exposure?: number;
          gap?: boolean;
          hour?: string;
          organic?: number;
          unexplained?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'follower_hour_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'follower_hour_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      follower_rates: {
        Row: {
          account_id: number;
          attributed_at: string | null;
          dispersion: number | null;
          fitted_at: string | null;
          followers_per_impression: number | null;
          hours: number | null;
          lag_h: number | null;
          organic_per_hour: number | null;
          settled_through: string | null;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          attributed_at?: string | null;
          dispersion?: number | null;
          fitted_at?: string | null;
          followers_per_impression?: number | null;
          hours?: number | null;
          lag_h?: number | null;
          organic_per_hour?: number | null;
          settled_through?: string | null;
        };
        Update: {
          account_id?: number;
          attributed_at?: string | null;
          dispersion?: number | null;
          fitted_at?: string | null;
          followers_per_impression?: number | null;
          hours?: number | null;
          lag_h?: number | null;
          organic_per_hour?: number | null;
          settled_through?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'follower_rates_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: true;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'follower_rates_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: true;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      follower_snapshots: {
        Row: {
          account_id: number;
          captured_at: string;
          followers: number;
          is_exact: boolean;
          run_id: string;
          source: string;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          captured_at: string;
          followers: number;
          is_exact: boolean;
          run_id: string;
          source: string;
        };
        Update: {
          account_id?: number;
          captured_at?: string;
          followers?: number;
          is_exact?: boolean;
          run_id?: string;
          source?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'follower_snapshots_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'follower_snapshots_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      growth_curve: {
        Row: {
          account_id: number | null;
          age_h: number;
          computed_at: string;
          high_90: number;
          log_ratio: number;
          low_90: number;
          outcome: string;
          phase: string;
          posts: number;
          spread: number;
        };
        ComputedFields: never;
        Insert: {
          account_id?: number | null;
          age_h: number;
          computed_at: string;
          high_90: number;
          log_ratio: number;
          low_90: number;
          outcome: string;
          phase: string;
          posts: number;
          spread: number;
        };
        Update: {
          account_id?: number | null;
          age_h?: number;
          computed_at?: string;
          high_90?: number;
          log_ratio?: number;
          low_90?: number;
          outcome?: string;
          phase?: string;
          posts?: number;
          spread?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'growth_curve_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'growth_curve_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'growth_curve_phase_fkey';
            columns: ['phase'];
            isOneToOne: false;
            referencedRelation: 'collection_phases';
            referencedColumns: ['phase'];
          },
        ];
      };
      integrity_events: {
        Row: {
          account_id: number | null;
          created_at: string;
          details: NonNullable<Json>;
          id: number;
          kind: string;
          post_id: string | null;
          run_id: string | null;
        };
        ComputedFields: never;
        Insert: {
          account_id?: number | null;
          created_at: string;
          details?: NonNullable<Json>;
          id?: never;
          kind: string;
          post_id?: string | null;
          run_id?: string | null;
        };
        Update: {
          account_id?: number | null;
          created_at?: string;
          details?: NonNullable<Json>;
          id?: never;
          kind?: string;
          post_id?: string | null;
          run_id?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'integrity_events_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'integrity_events_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'integrity_events_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: false;
            referencedRelation: 'post_attribution';
            referencedColumns: ['post_id'];
          },
          {
            foreignKeyName: 'integrity_events_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: false;
            referencedRelation: 'post_tracking';
            referencedColumns: ['post_id'];
          },
        ];
      };
      invariant_states: {
        Row: {
          checked_at: string;
          measured: string | null;
          name: string;
          since: string;
          status: string;
        };
        ComputedFields: never;
        Insert: {
          checked_at: string;
          measured?: string | null;
          name: string;
          since: string;
          status: string;
        };
        Update: {
          checked_at?: string;
          measured?: string | null;
          name?: string;
          since?: string;
          status?: string;
        };
        Relationships: [];
      };
      learned_models: {
        Row: {
          account_id: number;
          centre: number | null;
          chosen_features: number;
          data_version: number;
          effective_n: number;
          factor: number[];
          features: NonNullable<Json>;
          finished_posts: number;
          fitted_at: string;
          group_variances: NonNullable<Json>;
          mean: number[];
          outcome: string;
          residual_variance: number;
          spread: number | null;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          centre?: number | null;
          chosen_features: number;
          data_version: number;
          effective_n: number;
          factor: number[];
          features: NonNullable<Json>;
          finished_posts: number;
          fitted_at: string;
          group_variances: NonNullable<Json>;
          mean: number[];
          outcome: string;
          residual_variance: number;
          spread?: number | null;
        };
        Update: {
          account_id?: number;
          centre?: number | null;
          chosen_features?: number;
          data_version?: number;
          effective_n?: number;
          factor?: number[];
          features?: NonNullable<Json>;
          finished_posts?: number;
          fitted_at?: string;
          group_variances?: NonNullable<Json>;
          mean?: number[];
          outcome?: string;
          residual_variance?: number;
          spread?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: 'learned_models_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'learned_models_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      metric_collections: {
        Row: {
          account_id: number;
          attempts: number;
          due_at: string;
          expires_at: string;
          finished_at: string | null;
          lease_id: string | null;
          next_attempt_at: string;
          outcome: string | null;
          phase: string;
          post_id: string;
          state: string;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          attempts?: number;
          due_at: string;
          expires_at: string;
          finished_at?: string | null;
          lease_id?: string | null;
          next_attempt_at: string;
          outcome?: string | null;
          phase: string;
          post_id: string;
          state?: string;
        };
        Update: {
          account_id?: number;
          attempts?: number;
          due_at?: string;
          expires_at?: string;
          finished_at?: string | null;
          lease_id?: string | null;
          next_attempt_at?: string;
          outcome?: string | null;
          phase?: string;
          post_id?: string;
          state?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'metric_collections_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'metric_collections_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'metric_collections_outcome_fkey';
            columns: ['outcome'];
            isOneToOne: false;
            referencedRelation: 'read_outcomes';
            referencedColumns: ['outcome'];
          },
          {
            foreignKeyName: 'metric_collections_phase_fkey';
            columns: ['phase'];
            isOneToOne: false;
            referencedRelation: 'collection_phases';
            referencedColumns: ['phase'];
          },
          {
            foreignKeyName: 'metric_collections_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: false;
            referencedRelation: 'post_attribution';
            referencedColumns: ['post_id'];
          },
          {
            foreignKeyName: 'metric_collections_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: false;
            referencedRelation: 'post_tracking';
            referencedColumns: ['post_id'];
          },
        ];
      };
      payload_shapes: {
        Row: {
          first_seen_at: string;
          hash: string;
          last_seen_at: string;
          operation: string;
          paths: NonNullable<Json>;
        };
        ComputedFields: never;
        Insert: {
          first_seen_at: string;
          hash: string;
          last_seen_at: string;
          operation: string;
          paths: NonNullable<Json>;
        };
        Update: {
          first_seen_at?: string;
          hash?: string;
          last_seen_at?: string;
          operation?: string;
          paths?: NonNullable<Json>;
        };
        Relationships: [];
      };
      pipeline_alerts: {
        Row: {
          attempts: number;
          change: string;
          created_at: string;
          delivered_at: string | null;
          delivery: string;
          id: number;
          invariant: string;
          last_error: string | null;
          measured: string | null;
          next_attempt_at: string;
          previous_status: string | null;
          request_id: number | null;
          sent_at: string | null;
          since: string;
          status: string;
          threshold: string | null;
          what_to_do: string | null;
        };
        ComputedFields: never;
        Insert: {
          attempts?: number;
          change: string;
          created_at: string;
          delivered_at?: string | null;
          delivery?: string;
          id?: never;
          invariant: string;
          last_error?: string | null;
          measured?: string | null;
          next_attempt_at: string;
          previous_status?: string | null;
          request_id?: number | null;
          sent_at?: string | null;
          since: string;
          status: string;
          threshold?: string | null;
          what_to_do?: string | null;
        };
        Update: {
          attempts?: number;
          change?: string;
          created_at?: string;
          delivered_at?: string | null;
          delivery?: string;
          id?: never;
          invariant?: string;
          last_error?: string | null;
          measured?: string | null;
          next_attempt_at?: string;
          previous_status?: string | null;
          request_id?: number | null;
          sent_at?: string | null;
          since?: string;
          status?: string;
          threshold?: string | null;
          what_to_do?: string | null;
        };
        Relationships: [];
      };
      pipeline_runs: {
        Row: {
          as_of: string;
          done: number;
          error: Json | null;
          expected: number;
          failed: number;
          finished_at: string | null;
          job: string;
          run_id: string;
          skipped: NonNullable<Json>;
          started_at: string;
          status: string;
        };
        ComputedFields: never;
        Insert: {
          as_of: string;
          done?: number;
          error?: Json | null;
          expected?: number;
          failed?: number;
          finished_at?: string | null;
          job: string;
          run_id?: string;
          skipped?: NonNullable<Json>;
          started_at?: string;
          status?: string;
        };
        Update: {
          as_of?: string;
          done?: number;
          error?: Json | null;
          expected?: number;
          failed?: number;
          finished_at?: string | null;
          job?: string;
          run_id?: string;
          skipped?: NonNullable<Json>;
          started_at?: string;
          status?: string;
        };
        Relationships: [];
      };
      post_attribution: {
        Row: {
          account_id: number;
          angle: string | null;
          bookmarks: number | null;
          credit_note: string | null;
          decision_id: string | null;
          engagement_rate: number | null;
          followers_24h_after: number | null;
          followers_2h_after: number | null;
          followers_48h_after: number | null;
          followers_before: number | null;
          followers_gained: number | null;
          followers_gained_high: number | null;
          followers_gained_low: number | null;
          format: string | null;
          generator_used: string | null;
          hook_pattern: string | null;
          impressions: number | null;
          kind: string;
          last_updated: string | null;
          likes: number | null;
          metrics_captured_at: string | null;
          metrics_phase: string | null;
          post_id: string;
          posted_at: string;
          profile_clicks: number | null;
          quotes: number | null;
          realised: NonNullable<Json>;
          replies: number | null;
          retweets: number | null;
          tone: string | null;
          topic: string | null;
          tracked_at: string;
          viral_score: number | null;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          angle?: never;
          bookmarks?: number | null;
          credit_note?: string | null;
          decision_id?: string | null;
          engagement_rate?: never;
          followers_24h_after?: number | null;
          followers_2h_after?: number | null;
          followers_48h_after?: number | null;
          followers_before?: number | null;
          followers_gained?: number | null;
          followers_gained_high?: number | null;
          followers_gained_low?: number | null;
          format?: never;
          generator_used?: never;
          hook_pattern?: never;
          impressions?: number | null;
          kind?: string;
          last_updated?: string | null;
          likes?: number | null;
          metrics_captured_at?: string | null;
          metrics_phase?: string | null;
          post_id: string;
          posted_at: string;
          profile_clicks?: number | null;
          quotes?: number | null;
          realised?: NonNullable<Json>;
          replies?: number | null;
          retweets?: number | null;
          tone?: never;
          topic?: never;
          tracked_at?: string;
          viral_score?: number | null;
        };
        Update: {
          account_id?: number;
          angle?: never;
          bookmarks?: number | null;
          credit_note?: string | null;
          decision_id?: string | null;
          engagement_rate?: never;
          followers_24h_after?: number | null;
          followers_2h_after?: number | null;
          followers_48h_after?: number | null;
          followers_before?: number | null;
          followers_gained?: number | null;
          followers_gained_high?: number | null;
          followers_gained_low?: number | null;
          format?: never;
          generator_used?: never;
          hook_pattern?: never;
          impressions?: number | null;
          kind?: string;
          last_updated?: string | null;
          likes?: number | null;
          metrics_captured_at?: string | null;
          metrics_phase?: string | null;
          post_id?: string;
          posted_at?: string;
          profile_clicks?: number | null;
          quotes?: number | null;
          realised?: NonNullable<Json>;
          replies?: number | null;
          retweets?: number | null;
          tone?: never;
          topic?: never;
          tracked_at?: string;
          viral_score?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: 'post_attribution_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'post_attribution_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'post_attribution_decision_id_fkey';
            columns: ['decision_id'];
            isOneToOne: true;
            referencedRelation: 'content_metadata';
            referencedColumns: ['decision_id'];
          },
        ];
      };
      post_credit: {
        Row: {
          account_id: number;
          computed_at: string;
          credit_24h: number;
          credit_2h: number;
          credit_48h: number;
          credit_7d: number;
          final: boolean;
          post_id: string;
          settled_24h: number;
          settled_2h: number;
          settled_48h: number;
          settled_7d: number;
          settled_spread_48h: number;
          settled_thinning_48h: number;
          variance_48h: number;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          computed_at: string;
          credit_24h: number;
          credit_2h: number;
          credit_48h: number;
          credit_7d: number;
          final: boolean;
          post_id: string;
          settled_24h: number;
          settled_2h: number;
          settled_48h: number;
          settled_7d: number;
          settled_spread_48h: number;
          settled_thinning_48h: number;
          variance_48h: number;
        };
        Update: {
          account_id?: number;
          computed_at?: string;
          credit_24h?: number;
          credit_2h?: number;
          credit_48h?: number;
          credit_7d?: number;
          final?: boolean;
          post_id?: string;
          settled_24h?: number;
          settled_2h?: number;
          settled_48h?: number;
          settled_7d?: number;
          settled_spread_48h?: number;
          settled_thinning_48h?: number;
          variance_48h?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'post_credit_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'post_credit_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'post_credit_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: true;
            referencedRelation: 'post_attribution';
            referencedColumns: ['post_id'];
          },
          {
            foreignKeyName: 'post_credit_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: true;
            referencedRelation: 'post_tracking';
            referencedColumns: ['post_id'];
          },
        ];
      };
      post_outcomes: {
        Row: {
          account_id: number;
          alarms: number;
          computed_at: string;
          horizon_h: number;
          is_final: boolean;
          log_engagement: number | null;
          log_followers: number | null;
          log_impressions: number;
          noise: number;
          post_id: string;
          posted_at: string;
          reward: number;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          alarms: number;
          computed_at: string;
          horizon_h: number;
          is_final: boolean;
          log_engagement?: number | null;
          log_followers?: number | null;
          log_impressions: number;
          noise: number;
          post_id: string;
          posted_at: string;
          reward: number;
        };
        Update: {
          account_id?: number;
          alarms?: number;
          computed_at?: string;
          horizon_h?: number;
          is_final?: boolean;
          log_engagement?: number | null;
          log_followers?: number | null;
          log_impressions?: number;
          noise?: number;
          post_id?: string;
          posted_at?: string;
          reward?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'post_outcomes_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'post_outcomes_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'post_outcomes_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: true;
            referencedRelation: 'post_attribution';
            referencedColumns: ['post_id'];
          },
          {
            foreignKeyName: 'post_outcomes_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: true;
            referencedRelation: 'post_tracking';
            referencedColumns: ['post_id'];
          },
        ];
      };
      post_predictions: {
        Row: {
          account_id: number;
          created_at: string;
          id: number;
          kind: string;
          observed: number | null;
          observed_at: string | null;
          phase: string | null;
          post_id: string;
          predicted: number;
          standard_deviation: number | null;
          threshold: number | null;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          created_at: string;
          id?: never;
          kind: string;
          observed?: number | null;
          observed_at?: string | null;
          phase?: string | null;
          post_id: string;
          predicted: number;
          standard_deviation?: number | null;
          threshold?: number | null;
        };
        Update: {
          account_id?: number;
          created_at?: string;
          id?: never;
          kind?: string;
          observed?: number | null;
          observed_at?: string | null;
          phase?: string | null;
          post_id?: string;
          predicted?: number;
          standard_deviation?: number | null;
          threshold?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: 'post_predictions_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'post_predictions_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'post_predictions_phase_fkey';
            columns: ['phase'];
            isOneToOne: false;
            referencedRelation: 'collection_phases';
            referencedColumns: ['phase'];
          },
          {
            foreignKeyName: 'post_predictions_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: false;
            referencedRelation: 'post_attribution';
            referencedColumns: ['post_id'];
          },
          {
            foreignKeyName: 'post_predictions_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: false;
            referencedRelation: 'post_tracking';
            referencedColumns: ['post_id'];
          },
        ];
      };
      read_outcomes: {
        Row: {
          consequence: string;
          description: string;
          outcome: string;
          retry_after: string | null;
          retry_doubles: boolean;
        };
        ComputedFields: never;
        Insert: {
          consequence: string;
          description: string;
          outcome: string;
          retry_after?: string | null;
          retry_doubles?: boolean;
        };
        Update: {
          consequence?: string;
          description?: string;
          outcome?: string;
          retry_after?: string | null;
          retry_doubles?: boolean;
        };
        Relationships: [];
      };
      real_tweet_metrics: {
        Row: {
          account_id: number;
          age_h: number | null;
          attributed_at: string | null;
          bookmarks: number | null;
          collected_at: string;
          collection_phase: string;
          engagement_rate: number | null;
          impressions: number | null;
          likes: number | null;
          posted_at: string;
          profile_clicks: number | null;
          quality: string;
          quotes: number | null;
          replies: number | null;
          retweets: number | null;
          run_id: string;
          source: string;
          tweet_id: string;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          age_h?: never;
          attributed_at?: string | null;
          bookmarks?: number | null;
          collected_at: string;
          collection_phase: string;
          engagement_rate?: never;
          impressions?: number | null;
          likes?: number | null;
          posted_at: string;
          profile_clicks?: number | null;
          quality: string;
          quotes?: number | null;
          replies?: number | null;
          retweets?: number | null;
          run_id: string;
          source: string;
          tweet_id: string;
        };
        Update: {
          account_id?: number;
          age_h?: never;
          attributed_at?: string | null;
          bookmarks?: number | null;
          collected_at?: string;
          collection_phase?: string;
          engagement_rate?: never;
          impressions?: number | null;
          likes?: number | null;
          posted_at?: string;
          profile_clicks?: number | null;
          quality?: string;
          quotes?: number | null;
          replies?: number | null;
          retweets?: number | null;
          run_id?: string;
          source?: string;
          tweet_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'real_tweet_metrics_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'real_tweet_metrics_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'real_tweet_metrics_collection_phase_fkey';
            columns: ['collection_phase'];
            isOneToOne: false;
            referencedRelation: 'collection_phases';
            referencedColumns: ['phase'];
          },
          {
            foreignKeyName: 'real_tweet_metrics_tweet_id_fkey';
            columns: ['tweet_id'];
            isOneToOne: false;
            referencedRelation: 'post_attribution';
            referencedColumns: ['post_id'];
          },
          {
            foreignKeyName: 'real_tweet_metrics_tweet_id_fkey';
            columns: ['tweet_id'];
            isOneToOne: false;
            referencedRelation: 'post_tracking';
            referencedColumns: ['post_id'];
          },
        ];
      };
      reward_weights: {
        Row: {
          description: string;
          outcome: string;
          weight: number;
        };
        ComputedFields: never;
        Insert: {
          description: string;
          outcome: string;
          weight: number;
        };
        Update: {
          description?: string;
          outcome?: string;
          weight?: number;
        };
        Relationships: [];
      };
      scraper_operation_budgets: {
        Row: {
          operation: string;
          per_guest: number;
          per_session: number;
        };
        ComputedFields: never;
        Insert: {
          operation: string;
          per_guest: number;
          per_session: number;
        };
        Update: {
          operation?: string;
          per_guest?: number;
          per_session?: number;
        };
        Relationships: [];
      };
      scraper_session_budgets: {
        Row: {
          blocked_until: string | null;
          operation: string;
          session: string;
          used: number;
          window_starts_at: string;
        };
        ComputedFields: never;
        Insert: {
          blocked_until?: string | null;
          operation: string;
          session: string;
          used?: number;
          window_starts_at: string;
        };
        Update: {
          blocked_until?: string | null;
          operation?: string;
          session?: string;
          used?: number;
          window_starts_at?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'scraper_session_budgets_operation_fkey';
            columns: ['operation'];
            isOneToOne: false;
            referencedRelation: 'scraper_operation_budgets';
            referencedColumns: ['operation'];
          },
        ];
      };
      scraper_sessions: {
        Row: {
          outcome: string;
          reported_at: string;
          session: string;
        };
        ComputedFields: never;
        Insert: {
          outcome: string;
          reported_at: string;
          session: string;
        };
        Update: {
          outcome?: string;
          reported_at?: string;
          session?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'scraper_sessions_outcome_fkey';
            columns: ['outcome'];
            isOneToOne: false;
            referencedRelation: 'read_outcomes';
            referencedColumns: ['outcome'];
          },
        ];
      };
      viral_thresholds: {
        Row: {
          account_id: number;
          computed_at: string;
          impressions: number;
          posts: number;
        };
        ComputedFields: never;
        Insert: {
          account_id: number;
          computed_at: string;
          impressions: number;
          posts: number;
        };
        Update: {
          account_id?: number;
          computed_at?: string;
          impressions?: number;
          posts?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'viral_thresholds_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: true;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'viral_thresholds_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: true;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      x_accounts: {
        Row: {
          control_share: number;
          created_at: string;
          handle: string;
          id: number;
          owner_id: string | null;
          rules: NonNullable<Json>;
        };
        ComputedFields: never;
        Insert: {
          control_share?: number;
          created_at?: string;
          handle: string;
          id?: never;
          owner_id?: string | null;
          rules?: NonNullable<Json>;
        };
        Update: {
          control_share?: number;
          created_at?: string;
          handle?: string;
          id?: never;
          owner_id?: string | null;
          rules?: NonNullable<Json>;
        };
        Relationships: [];
      };
      x_post_analytics: {
        Row: {
          captured_at: string;
          detail_expands: number | null;
          engagements: number | null;
          follows: number | null;
          impressions: number | null;
          link_clicks: number | null;
          post_id: string;
          profile_visits: number | null;
          run_id: string;
        };
        ComputedFields: never;
        Insert: {
          captured_at: string;
          detail_expands?: number | null;
          engagements?: number | null;
          follows?: number | null;
          impressions?: number | null;
          link_clicks?: number | null;
          post_id: string;
          profile_visits?: number | null;
          run_id: string;
        };
        Update: {
          captured_at?: string;
          detail_expands?: number | null;
          engagements?: number | null;
          follows?: number | null;
          impressions?: number | null;
          link_clicks?: number | null;
          post_id?: string;
          profile_visits?: number | null;
          run_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'x_post_analytics_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: false;
            referencedRelation: 'post_attribution';
            referencedColumns: ['post_id'];
          },
          {
            foreignKeyName: 'x_post_analytics_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: false;
            referencedRelation: 'post_tracking';
            referencedColumns: ['post_id'];
          },
        ];
      };
      x_post_hourly_impressions: {
        Row: {
          hour: string;
          impressions: number;
          post_id: string;
        };
        ComputedFields: never;
        Insert: {
          hour: string;
          impressions: number;
          post_id: string;
        };
        Update: {
          hour?: string;
          impressions?: number;
          post_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'x_post_hourly_impressions_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: false;
            referencedRelation: 'post_attribution';
            referencedColumns: ['post_id'];
          },
          {
            foreignKeyName: 'x_post_hourly_impressions_post_id_fkey';
            columns: ['post_id'];
            isOneToOne: false;
            referencedRelation: 'post_tracking';
            referencedColumns: ['post_id'];
          },
        ];
      };
    };
    Views: {
      angle_performance: {
        Row: {
          account_id: number;
          computed_at: string;
          confidence: number;
          dimension: string;
          effect: number;
          effect_high_80: number;
          effect_high_90: number;
          effect_low_80: number;
          effect_low_90: number;
          effect_standard_error: number;
          effective_n: number;
          engagement_lift: number | null;
          engagement_lift_high_80: number | null;
          engagement_lift_low_80: number | null;
          followers_lift: number | null;
          followers_lift_high_80: number | null;
          followers_lift_low_80: number | null;
          last_posted_at: string;
          lift: number | null;
          lift_high_80: number | null;
          lift_low_80: number | null;
          marginal_mean: number;
          marginal_standard_error: number;
          mean_engagement_rate: number | null;
          mean_followers_gained: number | null;
          mean_impressions: number | null;
          mean_reward: number;
          prob_above_average: number;
          prob_best: number;
          reliability: number;
          total_engagements: number;
          total_followers_gained: number;
          total_impressions: number;
          uses: number;
          value: string;
        };
        ComputedFields: never;
        Insert: {
          account_id?: number | null;
          computed_at?: string | null;
          confidence?: number | null;
          dimension?: string | null;
          effect?: number | null;
          effect_high_80?: number | null;
          effect_high_90?: number | null;
          effect_low_80?: number | null;
          effect_low_90?: number | null;
          effect_standard_error?: number | null;
          effective_n?: number | null;
          engagement_lift?: number | null;
          engagement_lift_high_80?: number | null;
          engagement_lift_low_80?: number | null;
          followers_lift?: number | null;
          followers_lift_high_80?: number | null;
          followers_lift_low_80?: number | null;
          last_posted_at?: string | null;
          lift?: number | null;
          lift_high_80?: number | null;
          lift_low_80?: number | null;
          marginal_mean?: number | null;
          marginal_standard_error?: number | null;
          mean_engagement_rate?: number | null;
          mean_followers_gained?: number | null;
          mean_impressions?: number | null;
          mean_reward?: number | null;
          prob_above_average?: number | null;
          prob_best?: number | null;
          reliability?: number | null;
          total_engagements?: number | null;
          total_followers_gained?: number | null;
          total_impressions?: number | null;
          uses?: number | null;
          value?: string | null;
        };
        Update: {
          account_id?: number | null;
          computed_at?: string | null;
          confidence?: number | null;
          dimension?: string | null;
          effect?: number | null;
          effect_high_80?: number | null;
          effect_high_90?: number | null;
          effect_low_80?: number | null;
          effect_low_90?: number | null;
          effect_standard_error?: number | null;
          effective_n?: number | null;
          engagement_lift?: number | null;
          engagement_lift_high_80?: number | null;
          engagement_lift_low_80?: number | null;
          followers_lift?: number | null;
          followers_lift_high_80?: number | null;
          followers_lift_low_80?: number | null;
          last_posted_at?: string | null;
          lift?: number | null;
          lift_high_80?: number | null;
          lift_low_80?: number | null;
          marginal_mean?: number | null;
          marginal_standard_error?: number | null;
          mean_engagement_rate?: number | null;
          mean_followers_gained?: number | null;
          mean_impressions?: number | null;
          mean_reward?: number | null;
          prob_above_average?: number | null;
          prob_best?: number | null;
          reliability?: number | null;
          total_engagements?: number | null;
          total_followers_gained?: number | null;
          total_impressions?: number | null;
          uses?: number | null;
          value?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'dimension_performance_account_id_dimension_value_fkey';
            columns: ['account_id', 'dimension', 'value'];
            isOneToOne: true;
            referencedRelation: 'content_dimension_values';
            referencedColumns: ['account_id', 'dimension', 'value'];
          },
          {
            foreignKeyName: 'dimension_performance_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'dimension_performance_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      credit_calibration: {
        Row: {
          account_id: number;
          correlation: number | null;
          covered: number | null;
          credited: number | null;
          credited_per_x_follow: number | null;
          posts: number | null;
          x_follows: number | null;
        };
        ComputedFields: never;
        Relationships: [
          {
            foreignKeyName: 'post_credit_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'post_credit_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      follower_ledger: {
        Row: {
          account_id: number;
          credited: number;
          error: number | null;
          gap: boolean;
          hour: string;
          observed: number | null;
          organic: number;
          unexplained: number;
        };
        ComputedFields: never;
        Relationships: [
          {
            foreignKeyName: 'follower_hour_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'follower_hour_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      format_performance: {
        Row: {
          account_id: number;
          computed_at: string;
          confidence: number;
          dimension: string;
          effect: number;
          effect_high_80: number;
          effect_high_90: number;
          effect_low_80: number;
          effect_low_90: number;
          effect_standard_error: number;
          effective_n: number;
          engagement_lift: number | null;
          engagement_lift_high_80: number | null;
          engagement_lift_low_80: number | null;
          followers_lift: number | null;
          followers_lift_high_80: number | null;
          followers_lift_low_80: number | null;
          last_posted_at: string;
          lift: number | null;
          lift_high_80: number | null;
          lift_low_80: number | null;
          marginal_mean: number;
          marginal_standard_error: number;
          mean_engagement_rate: number | null;
          mean_followers_gained: number | null;
          mean_impressions: number | null;
          mean_reward: number;
          prob_above_average: number;
          prob_best: number;
          reliability: number;
          total_engagements: number;
          total_followers_gained: number;
          total_impressions: number;
          uses: number;
          value: string;
        };
        ComputedFields: never;
        Insert: {
          account_id?: number | null;
          computed_at?: string | null;
          confidence?: number | null;
          dimension?: string | null;
          effect?: number | null;
          effect_high_80?: number | null;
          effect_high_90?: number | null;
          effect_low_80?: number | null;
          effect_low_90?: number | null;
          effect_standard_error?: number | null;
          effective_n?: number | null;
          engagement_lift?: number | null;
          engagement_lift_high_80?: number | null;
          engagement_lift_low_80?: number | null;
          followers_lift?: number | null;
          followers_lift_high_80?: number | null;
          followers_lift_low_80?: number | null;
          last_posted_at?: string | null;
          lift?: number | null;
          lift_high_80?: number | null;
          lift_low_80?: number | null;
          marginal_mean?: number | null;
          marginal_standard_error?: number | null;
          mean_engagement_rate?: number | null;
          mean_followers_gained?: number | null;
          mean_impressions?: number | null;
          mean_reward?: number | null;
          prob_above_average?: number | null;
          prob_best?: number | null;
          reliability?: number | null;
          total_engagements?: number | null;
          total_followers_gained?: number | null;
          total_impressions?: number | null;
          uses?: number | null;
          value?: string | null;
        };
        Update: {
          account_id?: number | null;
          computed_at?: string | null;
          confidence?: number | null;
          dimension?: string | null;
          effect?: number | null;
          effect_high_80?: number | null;
          effect_high_90?: number | null;
          effect_low_80?: number | null;
          effect_low_90?: number | null;
          effect_standard_error?: number | null;
          effective_n?: number | null;
          engagement_lift?: number | null;
          engagement_lift_high_80?: number | null;
          engagement_lift_low_80?: number | null;
          followers_lift?: number | null;
          followers_lift_high_80?: number | null;
          followers_lift_low_80?: number | null;
          last_posted_at?: string | null;
          lift?: number | null;
          lift_high_80?: number | null;
          lift_low_80?: number | null;
          marginal_mean?: number | null;
          marginal_standard_error?: number | null;
          mean_engagement_rate?: number | null;
          mean_followers_gained?: number | null;
          mean_impressions?: number | null;
          mean_reward?: number | null;
          prob_above_average?: number | null;
          prob_best?: number | null;
          reliability?: number | null;
          total_engagements?: number | null;
          total_followers_gained?: number | null;
          total_impressions?: number | null;
          uses?: number | null;
          value?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'dimension_performance_account_id_dimension_value_fkey';
            columns: ['account_id', 'dimension', 'value'];
            isOneToOne: true;
            referencedRelation: 'content_dimension_values';
            referencedColumns: ['account_id', 'dimension', 'value'];
          },
          {
            foreignKeyName: 'dimension_performance_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'dimension_performance_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      generator_performance: {
        Row: {
          account_id: number;
          computed_at: string;
          confidence: number;
          dimension: string;
          effect: number;
          effect_high_80: number;
          effect_high_90: number;
          effect_low_80: number;
          effect_low_90: number;
          effect_standard_error: number;
          effective_n: number;
          engagement_lift: number | null;
          engagement_lift_high_80: number | null;
          engagement_lift_low_80: number | null;
          followers_lift: number | null;
          followers_lift_high_80: number | null;
          followers_lift_low_80: number | null;
          last_posted_at: string;
          lift: number | null;
          lift_high_80: number | null;
          lift_low_80: number | null;
          marginal_mean: number;
          marginal_standard_error: number;
          mean_engagement_rate: number | null;
          mean_followers_gained: number | null;
          mean_impressions: number | null;
          mean_reward: number;
          prob_above_average: number;
          prob_best: number;
          reliability: number;
          total_engagements: number;
          total_followers_gained: number;
          total_impressions: number;
          uses: number;
          value: string;
        };
        ComputedFields: never;
        Insert: {
          account_id?: number | null;
          computed_at?: string | null;
          confidence?: number | null;
          dimension?: string | null;
          effect?: number | null;
          effect_high_80?: number | null;
          effect_high_90?: number | null;
          effect_low_80?: number | null;
          effect_low_90?: number | null;
          effect_standard_error?: number | null;
          effective_n?: number | null;
          engagement_lift?: number | null;
          engagement_lift_high_80?: number | null;
          engagement_lift_low_80?: number | null;
          followers_lift?: number | null;
          followers_lift_high_80?: number | null;
          followers_lift_low_80?: number | null;
          last_posted_at?: string | null;
          lift?: number | null;
          lift_high_80?: number | null;
          lift_low_80?: number | null;
          marginal_mean?: number | null;
          marginal_standard_error?: number | null;
          mean_engagement_rate?: number | null;
          mean_followers_gained?: number | null;
          mean_impressions?: number | null;
          mean_reward?: number | null;
          prob_above_average?: number | null;
          prob_best?: number | null;
          reliability?: number | null;
          total_engagements?: number | null;
          total_followers_gained?: number | null;
          total_impressions?: number | null;
          uses?: number | null;
          value?: string | null;
        };
        Update: {
          account_id?: number | null;
          computed_at?: string | null;
          confidence?: number | null;
          dimension?: string | null;
          effect?: number | null;
          effect_high_80?: number | null;
          effect_high_90?: number | null;
          effect_low_80?: number | null;
          effect_low_90?: number | null;
          effect_standard_error?: number | null;
          effective_n?: number | null;
          engagement_lift?: number | null;
          engagement_lift_high_80?: number | null;
          engagement_lift_low_80?: number | null;
          followers_lift?: number | null;
          followers_lift_high_80?: number | null;
          followers_lift_low_80?: number | null;
          last_posted_at?: string | null;
          lift?: number | null;
          lift_high_80?: number | null;
          lift_low_80?: number | null;
          marginal_mean?: number | null;
          marginal_standard_error?: number | null;
          mean_engagement_rate?: number | null;
          mean_followers_gained?: number | null;
          mean_impressions?: number | null;
          mean_reward?: number | null;
          prob_above_average?: number | null;
          prob_best?: number | null;
          reliability?: number | null;
          total_engagements?: number | null;
          total_followers_gained?: number | null;
          total_impressions?: number | null;
          uses?: number | null;
          value?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'dimension_performance_account_id_dimension_value_fkey';
            columns: ['account_id', 'dimension', 'value'];
            isOneToOne: true;
            referencedRelation: 'content_dimension_values';
            referencedColumns: ['account_id', 'dimension', 'value'];
          },
          {
            foreignKeyName: 'dimension_performance_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'dimension_performance_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      hook_performance: {
        Row: {
          account_id: number;
          computed_at: string;
          confidence: number;
          dimension: string;
          effect: number;
          effect_high_80: number;
          effect_high_90: number;
          effect_low_80: number;
          effect_low_90: number;
          effect_standard_error: number;
          effective_n: number;
          engagement_lift: number | null;
          engagement_lift_high_80: number | null;
          engagement_lift_low_80: number | null;
          followers_lift: number | null;
          followers_lift_high_80: number | null;
          followers_lift_low_80: number | null;
          last_posted_at: string;
          lift: number | null;
          lift_high_80: number | null;
          lift_low_80: number | null;
          marginal_mean: number;
          marginal_standard_error: number;
          mean_engagement_rate: number | null;
          mean_followers_gained: number | null;
          mean_impressions: number | null;
          mean_reward: number;
          prob_above_average: number;
          prob_best: number;
          reliability: number;
          total_engagements: number;
          total_followers_gained: number;
          total_impressions: number;
          uses: number;
          value: string;
        };
        ComputedFields: never;
        Insert: {
          account_id?: number | null;
          computed_at?: string | null;
          confidence?: number | null;
          dimension?: string | null;
          effect?: number | null;
          effect_high_80?: number | null;
          effect_high_90?: number | null;
          effect_low_80?: number | null;
          effect_low_90?: number | null;
          effect_standard_error?: number | null;
          effective_n?: number | null;
          engagement_lift?: number | null;
          engagement_lift_high_80?: number | null;
          engagement_lift_low_80?: number | null;
          followers_lift?: number | null;
          followers_lift_high_80?: number | null;
          followers_lift_low_80?: number | null;
          last_posted_at?: string | null;
          lift?: number | null;
          lift_high_80?: number | null;
          lift_low_80?: number | null;
          marginal_mean?: number | null;
          marginal_standard_error?: number | null;
          mean_engagement_rate?: number | null;
          mean_followers_gained?: number | null;
          mean_impressions?: number | null;
          mean_reward?: number | null;
          prob_above_average?: number | null;
          prob_best?: number | null;
          reliability?: number | null;
          total_engagements?: number | null;
          total_followers_gained?: number | null;
          total_impressions?: number | null;
          uses?: number | null;
          value?: string | null;
        };
        Update: {
          account_id?: number | null;
          computed_at?: string | null;
          confidence?: number | null;
          dimension?: string | null;
          effect?: number | null;
          effect_high_80?: number | null;
          effect_high_90?: number | null;
          effect_low_80?: number | null;
          effect_low_90?: number | null;
          effect_standard_error?: number | null;
          effective_n?: number | null;
          engagement_lift?: number | null;
          engagement_lift_high_80?: number | null;
          engagement_lift_low_80?: number | null;
          followers_lift?: number | null;
          followers_lift_high_80?: number | null;
          followers_lift_low_80?: number | null;
          last_posted_at?: string | null;
          lift?: number | null;
          lift_high_80?: number | null;
          lift_low_80?: number | null;
          marginal_mean?: number | null;
          marginal_standard_error?: number | null;
          mean_engagement_rate?: number | null;
          mean_followers_gained?: number | null;
          mean_impressions?: number | null;
          mean_reward?: number | null;
          prob_above_average?: number | null;
          prob_best?: number | null;
          reliability?: number | null;
          total_engagements?: number | null;
          total_followers_gained?: number | null;
          total_impressions?: number | null;
          uses?: number | null;
          value?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'dimension_performance_account_id_dimension_value_fkey';
            columns: ['account_id', 'dimension', 'value'];
            isOneToOne: true;
            referencedRelation: 'content_dimension_values';
            referencedColumns: ['account_id', 'dimension', 'value'];
          },
          {
            foreignKeyName: 'dimension_performance_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'dimension_performance_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      pipeline_health: {
        Row: {
          measured: string | null;
          name: string | null;
          since: string | null;
          status: string | null;
          threshold: string | null;
          what_to_do: string | null;
        };
        ComputedFields: never;
        Relationships: [];
      };
      post_tracking: {
        Row: {
          account_id: number;
          assigned: Json | null;
          bookmarks: number | null;
          credit_24h: number | null;
          credit_2h: number | null;
          credit_48h: number | null;
          credit_7d: number | null;
          credit_is_final: boolean | null;
          credit_note: string | null;
          decision_id: string | null;
          engagement_rate: number | null;
          followers_24h_after: number | null;
          followers_2h_after: number | null;
          followers_48h_after: number | null;
          followers_before: number | null;
          followers_gained: number | null;
          followers_gained_high: number | null;
          followers_gained_low: number | null;
          followers_gained_naive: number | null;
          handle: string;
          impressions: number | null;
          kind: string;
          last_outcome: string | null;
          last_updated: string | null;
          likes: number | null;
          metrics_captured_at: string | null;
          metrics_phase: string | null;
          next_read_at: string | null;
          origin: string | null;
          policy: string | null;
          post_id: string;
          posted_at: string;
          profile_clicks: number | null;
          propensity: number | null;
          quotes: number | null;
          reads_done: number | null;
          reads_missed: number | null;
          reads_waiting: number | null;
          realised: NonNullable<Json>;
          replies: number | null;
          retweets: number | null;
          reward: number | null;
          viral_score: number | null;
          x_follows: number | null;
        };
        ComputedFields: never;
        Relationships: [
          {
            foreignKeyName: 'post_attribution_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'post_attribution_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'post_attribution_decision_id_fkey';
            columns: ['decision_id'];
            isOneToOne: true;
            referencedRelation: 'content_metadata';
            referencedColumns: ['decision_id'];
          },
        ];
      };
      prediction_calibration: {
        Row: {
          account_id: number;
          calibration_error: number | null;
          coverage_50: number | null;
          coverage_80: number | null;
          coverage_90: number | null;
          kind: string | null;
          mean_observed: number | null;
          mean_predicted: number | null;
          predictions: number | null;
        };
        ComputedFields: never;
        Relationships: [];
      };
      prompt_worth: {
        Row: {
          account_id: number;
          control_mean: number | null;
          control_posts: number | null;
          difference: number | null;
          high_90: number | null;
          low_90: number | null;
          prompted_mean: number | null;
          prompted_posts: number | null;
          standard_error: number | null;
        };
        ComputedFields: never;
        Relationships: [
          {
            foreignKeyName: 'content_metadata_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'content_metadata_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      tone_performance: {
        Row: {
          account_id: number;
          computed_at: string;
          confidence: number;
          dimension: string;
          effect: number;
          effect_high_80: number;
          effect_high_90: number;
          effect_low_80: number;
          effect_low_90: number;
          effect_standard_error: number;
          effective_n: number;
          engagement_lift: number | null;
          engagement_lift_high_80: number | null;
          engagement_lift_low_80: number | null;
          followers_lift: number | null;
          followers_lift_high_80: number | null;
          followers_lift_low_80: number | null;
          last_posted_at: string;
          lift: number | null;
          lift_high_80: number | null;
          lift_low_80: number | null;
          marginal_mean: number;
          marginal_standard_error: number;
          mean_engagement_rate: number | null;
          mean_followers_gained: number | null;
          mean_impressions: number | null;
          mean_reward: number;
          prob_above_average: number;
          prob_best: number;
          reliability: number;
          total_engagements: number;
          total_followers_gained: number;
          total_impressions: number;
          uses: number;
          value: string;
        };
        ComputedFields: never;
        Insert: {
          account_id?: number | null;
          computed_at?: string | null;
          confidence?: number | null;
          dimension?: string | null;
          effect?: number | null;
          effect_high_80?: number | null;
          effect_high_90?: number | null;
          effect_low_80?: number | null;
          effect_low_90?: number | null;
          effect_standard_error?: number | null;
          effective_n?: number | null;
          engagement_lift?: number | null;
          engagement_lift_high_80?: number | null;
          engagement_lift_low_80?: number | null;
          followers_lift?: number | null;
          followers_lift_high_80?: number | null;
          followers_lift_low_80?: number | null;
          last_posted_at?: string | null;
          lift?: number | null;
          lift_high_80?: number | null;
          lift_low_80?: number | null;
          marginal_mean?: number | null;
          marginal_standard_error?: number | null;
          mean_engagement_rate?: number | null;
          mean_followers_gained?: number | null;
          mean_impressions?: number | null;
          mean_reward?: number | null;
          prob_above_average?: number | null;
          prob_best?: number | null;
          reliability?: number | null;
          total_engagements?: number | null;
          total_followers_gained?: number | null;
          total_impressions?: number | null;
          uses?: number | null;
          value?: string | null;
        };
        Update: {
          account_id?: number | null;
          computed_at?: string | null;
          confidence?: number | null;
          dimension?: string | null;
          effect?: number | null;
          effect_high_80?: number | null;
          effect_high_90?: number | null;
          effect_low_80?: number | null;
          effect_low_90?: number | null;
          effect_standard_error?: number | null;
          effective_n?: number | null;
          engagement_lift?: number | null;
          engagement_lift_high_80?: number | null;
          engagement_lift_low_80?: number | null;
          followers_lift?: number | null;
          followers_lift_high_80?: number | null;
          followers_lift_low_80?: number | null;
          last_posted_at?: string | null;
          lift?: number | null;
          lift_high_80?: number | null;
          lift_low_80?: number | null;
          marginal_mean?: number | null;
          marginal_standard_error?: number | null;
          mean_engagement_rate?: number | null;
          mean_followers_gained?: number | null;
          mean_impressions?: number | null;
          mean_reward?: number | null;
          prob_above_average?: number | null;
          prob_best?: number | null;
          reliability?: number | null;
          total_engagements?: number | null;
          total_followers_gained?: number | null;
          total_impressions?: number | null;
          uses?: number | null;
          value?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'dimension_performance_account_id_dimension_value_fkey';
            columns: ['account_id', 'dimension', 'value'];
            isOneToOne: true;
            referencedRelation: 'content_dimension_values';
            referencedColumns: ['account_id', 'dimension', 'value'];
          },
          {
            foreignKeyName: 'dimension_performance_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'dimension_performance_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      topic_performance: {
        Row: {
          account_id: number;
          computed_at: string;
          confidence: number;
          dimension: string;
          effect: number;
          effect_high_80: number;
          effect_high_90: number;
          effect_low_80: number;
          effect_low_90: number;
          effect_standard_error: number;
          effective_n: number;
          engagement_lift: number | null;
          engagement_lift_high_80: number | null;
          engagement_lift_low_80: number | null;
          followers_lift: number | null;
          followers_lift_high_80: number | null;
          followers_lift_low_80: number | null;
          last_posted_at: string;
          lift: number | null;
          lift_high_80: number | null;
          lift_low_80: number | null;
          marginal_mean: number;
          marginal_standard_error: number;
          mean_engagement_rate: number | null;
          mean_followers_gained: number | null;
          mean_impressions: number | null;
          mean_reward: number;
          prob_above_average: number;
          prob_best: number;
          reliability: number;
          total_engagements: number;
          total_followers_gained: number;
          total_impressions: number;
          uses: number;
          value: string;
        };
        ComputedFields: never;
        Insert: {
          account_id?: number | null;
          computed_at?: string | null;
          confidence?: number | null;
          dimension?: string | null;
          effect?: number | null;
          effect_high_80?: number | null;
          effect_high_90?: number | null;
          effect_low_80?: number | null;
          effect_low_90?: number | null;
          effect_standard_error?: number | null;
          effective_n?: number | null;
          engagement_lift?: number | null;
          engagement_lift_high_80?: number | null;
          engagement_lift_low_80?: number | null;
          followers_lift?: number | null;
          followers_lift_high_80?: number | null;
          followers_lift_low_80?: number | null;
          last_posted_at?: string | null;
          lift?: number | null;
          lift_high_80?: number | null;
          lift_low_80?: number | null;
          marginal_mean?: number | null;
          marginal_standard_error?: number | null;
          mean_engagement_rate?: number | null;
          mean_followers_gained?: number | null;
          mean_impressions?: number | null;
          mean_reward?: number | null;
          prob_above_average?: number | null;
          prob_best?: number | null;
          reliability?: number | null;
          total_engagements?: number | null;
          total_followers_gained?: number | null;
          total_impressions?: number | null;
          uses?: number | null;
          value?: string | null;
        };
        Update: {
          account_id?: number | null;
          computed_at?: string | null;
          confidence?: number | null;
          dimension?: string | null;
          effect?: number | null;
          effect_high_80?: number | null;
          effect_high_90?: number | null;
          effect_low_80?: number | null;
          effect_low_90?: number | null;
          effect_standard_error?: number | null;
          effective_n?: number | null;
          engagement_lift?: number | null;
          engagement_lift_high_80?: number | null;
          engagement_lift_low_80?: number | null;
          followers_lift?: number | null;
          followers_lift_high_80?: number | null;
          followers_lift_low_80?: number | null;
          last_posted_at?: string | null;
          lift?: number | null;
          lift_high_80?: number | null;
          lift_low_80?: number | null;
          marginal_mean?: number | null;
          marginal_standard_error?: number | null;
          mean_engagement_rate?: number | null;
          mean_followers_gained?: number | null;
          mean_impressions?: number | null;
          mean_reward?: number | null;
          prob_above_average?: number | null;
          prob_best?: number | null;
          reliability?: number | null;
          total_engagements?: number | null;
          total_followers_gained?: number | null;
          total_impressions?: number | null;
          uses?: number | null;
          value?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'dimension_performance_account_id_dimension_value_fkey';
            columns: ['account_id', 'dimension', 'value'];
            isOneToOne: true;
            referencedRelation: 'content_dimension_values';
            referencedColumns: ['account_id', 'dimension', 'value'];
          },
          {
            foreignKeyName: 'dimension_performance_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'prediction_calibration';
            referencedColumns: ['account_id'];
          },
          {
            foreignKeyName: 'dimension_performance_account_id_fkey';
            columns: ['account_id'];
            isOneToOne: false;
            referencedRelation: 'x_accounts';
            referencedColumns: ['id'];
          },
        ];
      };
      upgrade_report: {
        Row: {
          example: string | null;
          reason: string | null;
          result: string;
          rows: number | null;
          source: string;
        };
        ComputedFields: never;
        Relationships: [];
      };
    };
    Functions: {
      attribute_posts: { Args: { p_now: string; p_resume?: boolean }; Returns: Json };
      attribution_backlog: { Args: { p_now: string }; Returns: number };
      check_pipeline: {
        Args: { p_now: string };
        Returns: {
          measured: string;
          name: string;
          since: string;
          status: string;
          threshold: string;
          what_to_do: string;
        }[];
      };
      claim_reads: {
        Args: { p_lease_seconds?: number; p_limit?: number; p_now: string };
        Returns: Json;
      };
      finish_pipeline_run: {
        Args: {
          p_done: number;
          p_error?: Json;
          p_expected?: number;
          p_failed?: number;
          p_run_id: string;
          p_skipped?: Json;
        };
        Returns: Json;
      };
      learning_backlog: { Args: { p_account_ids?: number[] }; Returns: number[] };
      learning_statistics: { Args: { p_account_id: number; p_now: string }; Returns: Json };
      logged_slates: {
        Args: { p_account: string; p_limit?: number; p_now: string; p_since: string };
        Returns: Json;
      };
      loop_steps: { Args: { p_now: string }; Returns: Json };
      name_imported_account: { Args: { p_handle: string; p_now?: string }; Returns: Json };
      pipeline_state: { Args: { p_now: string }; Returns: Json };
      recommendation_inputs: { Args: { p_account: string }; Returns: Json };
      record_drift: {
        Args: { p_account_id: number; p_alarms: Json; p_from: string; p_now: string };
        Returns: Json;
      };
      record_failed_call: {
        Args: { p_error: Json; p_function: string; p_now: string };
        Returns: Json;
      };
      record_performance: {
        Args: {
          p_account_id: number;
          p_data_version: number;
          p_finished_posts: number;
          p_models: Json;
          p_now: string;
          p_rows: Json;
        };
        Returns: Json;
      };
      record_reads: { Args: { p_batch: Json; p_now: string; p_run_id: string }; Returns: Json };
      register_x_account: {
        Args: { p_handle: string; p_now?: string; p_values?: Json };
        Returns: Json;
      };
      report_session: {
        Args: {
          p_now: string;
          p_operation: string;
          p_outcome: string;
          p_retry_at: string;
          p_session: string;
        };
        Returns: Json;
      };
      reserve_session: {
        Args: { p_now: string; p_operations: string[]; p_sessions: string[] };
        Returns: Json;
      };
      rising_posts: {
        Args: { p_account_id: number; p_now: string };
        Returns: {
          account_id: number;
          post_id: string;
          probability: number;
          since: string;
          threshold: number;
        }[];
      };
      schema_drift: { Args: { p_expected: Json; p_now: string }; Returns: Json };
      set_content_rules: { Args: { p_account: string; p_rules: Json }; Returns: Json };
      start_pipeline_run: {
        Args: { p_expected: number; p_job: string; p_now: string };
        Returns: string;
      };
      store_decisions: {
        Args: { p_account_id: number; p_decisions: Json; p_now: string };
        Returns: Json;
      };
      track_post: {
        Args: {
          p_account?: string;
          p_decision_id?: string;
          p_dimensions?: Json;
          p_kind?: string;
          p_now: string;
          p_post_id: string;
          p_posted_at: string;
          p_viral_score?: number;
        };
        Returns: Json;
      };
    };
    Enums: {
      [_ in never]: never;
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, '__InternalSupabase'>;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, 'public'>];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema['Tables'] & DefaultSchema['Views'])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Views'])
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Views'])[TableName] extends {
      Row: infer R;
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema['Tables'] & DefaultSchema['Views'])
    ? (DefaultSchema['Tables'] & DefaultSchema['Views'])[DefaultSchemaTableNameOrOptions] extends {
        Row: infer R;
      }
      ? R
      : never
    : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema['Tables']
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables']
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'][TableName] extends {
      Insert: infer I;
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema['Tables']
    ? DefaultSchema['Tables'][DefaultSchemaTableNameOrOptions] extends {
        Insert: infer I;
      }
      ? I
      : never
    : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema['Tables']
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables']
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'][TableName] extends {
      Update: infer U;
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema['Tables']
    ? DefaultSchema['Tables'][DefaultSchemaTableNameOrOptions] extends {
        Update: infer U;
      }
      ? U
      : never
    : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema['Enums']
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions['schema']]['Enums']
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions['schema']]['Enums'][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema['Enums']
    ? DefaultSchema['Enums'][DefaultSchemaEnumNameOrOptions]
    : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema['CompositeTypes']
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions['schema']]['CompositeTypes']
    : never = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions['schema']]['CompositeTypes'][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema['CompositeTypes']
    ? DefaultSchema['CompositeTypes'][PublicCompositeTypeNameOrOptions]
    : never;

export const Constants = {
  public: {
    Enums: {},
  },
} as const;
